import { once } from "node:events";
import { connect } from "node:net";

import type { EngineSession } from "@anyrunner/engine";

/** What the loads need of a session. */
export type QueriedSession = Pick<EngineSession, "query">;

/** Called now and then with how much is done. */
export type OnProgress = (done: number) => Promise<void>;

const ANSWER_BUDGET_MS = 15_000;

/** Sends trivial queries, 32 at a time. */
export function runQueries(session: QueriedSession, count: number, onProgress: OnProgress): Promise<void> {
  return repeat({ count, parallel: 32, onProgress }, async () => {
    const { data, errors } = await session.query({ query: "{ version }" });
    if (data === undefined || errors !== undefined) throw new Error(`no version: ${JSON.stringify(errors)}`);
  });
}

/** Opens sessions with telemetry, asks each for the version, and closes it, four at a time. */
export function runSessions(open: () => Promise<EngineSession>, count: number, onProgress: OnProgress): Promise<void> {
  return repeat({ count, parallel: 4, onProgress }, async () => {
    const session = await open();
    await session.query({ query: "{ version }" });
    await session.close();
  });
}

/** Fetches a page from a service in a container through a tunnel, a new connection each time, ten at a time. */
export async function runTunnelConnections(session: QueriedSession, rootfs: string, count: number, onProgress: OnProgress): Promise<void> {
  const directory = await id(session, `{ host { directory(path: ${JSON.stringify(rootfs)}) { id } } }`);
  const server = `withRootfs(directory: "${directory}") { withNewFile(path: "/www/page", contents: "hello\\n") { withExposedPort(port: 8080)`;
  const service = await id(session, `{ container { ${server} { asService(args: ["httpd", "-f", "-p", "8080", "-h", "/www"]) { id } } } } } }`);
  const tunnel = await id(session, `{ host { tunnel(service: "${service}") { id } } }`);
  await ask(session, `{ loadServiceFromID(id: "${tunnel}") { start } }`);
  const endpoint = String(await leaf(session, `{ loadServiceFromID(id: "${tunnel}") { endpoint } }`));
  const port = Number(endpoint.split(":").at(-1));
  await repeat({ count, parallel: 10, onProgress }, () => fetchPage(port));
  await ask(session, `{ loadServiceFromID(id: "${tunnel}") { stop(kill: true) } }`);
}

interface Repeat {
  readonly count: number;
  readonly parallel: number;
  readonly onProgress: OnProgress;
}

async function repeat({ count, parallel, onProgress }: Repeat, work: () => Promise<void>): Promise<void> {
  const step = Math.max(1, Math.floor(count / 10));
  for (let done = 0; done < count; done += step) {
    let left = Math.min(step, count - done);
    const worker = async () => {
      while (left-- > 0) await work();
    };
    await Promise.all(Array.from({ length: parallel }, worker));
    await onProgress(Math.min(done + step, count));
  }
}

async function fetchPage(port: number): Promise<void> {
  const socket = connect(port, "127.0.0.1");
  let answer = "";
  socket.setEncoding("utf8").on("data", (text: string) => (answer += text));
  socket.setTimeout(ANSWER_BUDGET_MS, () => socket.destroy());
  const closed = once(socket, "close");
  socket.write("GET /page HTTP/1.0\r\n\r\n");
  await closed;
  if (!answer.endsWith("hello\n")) throw new Error(`the tunnel gave ${JSON.stringify(answer)}`);
}

async function id(session: QueriedSession, query: string): Promise<string> {
  return String(await leaf(session, query));
}

/** The one value at the bottom of an answer. */
async function leaf(session: QueriedSession, query: string): Promise<unknown> {
  let value = await ask(session, query);
  while (typeof value === "object" && value !== null) value = Object.values(value)[0];
  return value;
}

async function ask(session: QueriedSession, query: string): Promise<unknown> {
  const { data, errors } = await session.query({ query });
  if (errors !== undefined) throw new Error(errors.map(({ message }) => message).join("\n"));
  return data;
}
