import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

/** official-client.go or own-client.ts, ready to be called with documents. */
export interface Client {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
}

/** Asks the documents, and gives the questions, errors and last answer in one text, without what differs from run to run. */
export async function runClient(client: Client, documents: readonly string[], env: Readonly<Record<string, string>>): Promise<string> {
  const child = startClient(client, documents, env);
  child.stdin.end();
  const [said] = await Promise.all([text(child.stderr), once(child, "close")]);
  const lines = said.split("\n").filter((line) => /^(asked |error: |\{)/.test(line));
  const plain = lines.map((line) => (line.startsWith("asked ") ? `asked ${JSON.stringify(JSON.parse(line.slice("asked ".length)))}` : line));
  return plain
    .filter((line, index) => !line.startsWith("{") || index === lines.length - 1)
    .join("; ")
    .replaceAll(/\s*\[traceparent:[^\]]*\]/g, "");
}

export function startClient({ command, cwd, env: own }: Client, documents: readonly string[], env: Readonly<Record<string, string>>) {
  const [program = "", ...args] = command;
  return spawn(program, [...args, ...documents], { cwd, env: { ...process.env, ...own, ...env }, stdio: ["pipe", "pipe", "pipe"] });
}
