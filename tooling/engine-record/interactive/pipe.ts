import type { ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

import { startClient, type Client } from "./run-client.ts";
import type { Fields } from "./terminal.ts";

interface Message {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: unknown;
}

const PATIENCE_MS = 60_000;

/** Speaks with the engine's server through the client's standard input and output, which `document` asks for. */
export async function speakThroughPipe(client: Client, { folder, document }: { readonly folder: string; readonly document: string }): Promise<Fields> {
  const file = join(folder, "pipe.graphql");
  await writeFile(file, document);
  return speakTo(startClient(client, [file], { PIPE: "1" }));
}

/** Says a few things of the Model Context Protocol to a program that joins its standard streams to such a server, and ends it. */
export async function speakTo(child: ChildProcessByStdio<Writable, Readable, Readable>): Promise<Fields> {
  const exited = once(child, "exit");
  let errors = "";
  child.stderr.setEncoding("utf8").on("data", (said: string) => (errors += said));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  let last = 0;
  const ask = async (method: string, params: object): Promise<Message> => {
    const id = ++last;
    child.stdin.write(`${JSON.stringify({ jsonrpc: "2.0", id, method, params })}\n`);
    for (;;) {
      const { value, done } = (await Promise.race([lines.next(), timedOut(errors)])) as IteratorResult<string>;
      if (done === true) throw new Error(`the client ended: ${errors.slice(-1000)}`);
      // The official CLI says in front what it does.
      if (!value.startsWith("{")) continue;
      const message = JSON.parse(value) as Message;
      if (message.id === id) return message;
    }
  };
  try {
    return await converse(ask, child.stdin);
  } finally {
    child.kill("SIGINT");
    await exited;
  }
}

async function converse(ask: (method: string, params: object) => Promise<Message>, stdin: Writable): Promise<Fields> {
  const hello = await ask("initialize", { protocolVersion: "2024-11-05", capabilities: {}, clientInfo: { name: "record", version: "1" } });
  stdin.write(`${JSON.stringify({ jsonrpc: "2.0", method: "notifications/initialized" })}\n`);
  const listed = await ask("tools/list", {});
  const tools = (listed.result?.["tools"] ?? []) as readonly { readonly name: string }[];
  const long = await ask("tools/call", { name: "none", arguments: { text: "x".repeat(1_000_000) } });
  const ping = await ask("ping", {});
  return {
    initialize: JSON.stringify(hello.result ?? hello.error),
    "tools/list": `${tools.length} tools, ${JSON.stringify(listed).length} characters: ${JSON.stringify(listed)}`,
    "a call with 1,000,000 bytes": JSON.stringify(long.result ?? long.error),
    ping: JSON.stringify(ping.result ?? ping.error),
  };
}

async function timedOut(errors: string): Promise<never> {
  await once(AbortSignal.timeout(PATIENCE_MS), "abort");
  throw new Error(`no answer in ${PATIENCE_MS / 1000} s: ${errors.slice(-1000)}`);
}
