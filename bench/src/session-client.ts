import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

export interface SessionClient {
  readonly pid: number;
  readonly port: number;
  readonly token: string;
  /** Sends a query; errors of the pipeline end the bench. */
  query(query: string): Promise<unknown>;
}

/** Starts a program that speaks as `dagger session` does, hands its session to `work`, and ends it. */
export async function withSession<T>(
  argv: readonly string[],
  work: (session: SessionClient) => Promise<T>,
  env: Readonly<Record<string, string>> = {},
): Promise<T> {
  const [file = "", ...args] = argv;
  const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "ignore"] });
  const exited = once(child, "exit");
  try {
    const line = await Promise.race([
      once(createInterface(child.stdout), "line").then(([first]) => String(first)),
      exited.then(([code]) => {
        throw new Error(`${argv.join(" ")} ended with ${String(code)} before its session was ready`);
      }),
    ]);
    const { port, session_token: token } = JSON.parse(line) as { port: number; session_token: string };
    return await work({ pid: child.pid as number, port, token, query: (query) => post(port, token, query) });
  } finally {
    child.stdin.end();
    await exited;
  }
}

async function post(port: number, token: string, query: string): Promise<unknown> {
  const response = await fetch(`http://127.0.0.1:${port}/query`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Basic ${btoa(`${token}:`)}` },
    body: JSON.stringify({ query }),
  });
  const answer = (await response.json()) as { data?: unknown; errors?: readonly { message: string }[] };
  if (answer.errors !== undefined) throw new Error(answer.errors.map((error) => error.message).join("; "));
  return answer.data;
}
