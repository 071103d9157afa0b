import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Readable, Writable } from "node:stream";

import type { Runner } from "@anyrunner/core";

import type { Sample } from "./pair.ts";

/** One stream to the byte server, whatever carries it. */
export interface BenchStream {
  readonly input: Readable;
  readonly output: Writable;
  close(): Promise<void>;
}

export type OpenStream = () => Promise<BenchStream>;

const GIB_IN_MIB = 1024;
const PIECE = Buffer.alloc(256 * 1024);

/** What the byte server does for PING, SOURCE and BOTH, as a program in a container. */
export const BYTE_SERVER_SCRIPT = `#!/bin/sh
read -r what mib
case "$what" in
PING) echo; cat ;;
SOURCE) exec dd if=/dev/zero bs=1048576 count="$mib" 2>/dev/null ;;
BOTH) exec cat ;;
esac
`;

export interface ByteServer {
  /** Path or port. */
  readonly place: string;
  kill(): Promise<void>;
}

export async function startByteServer(...args: readonly string[]): Promise<ByteServer> {
  const script = fileURLToPath(new URL("byte-server.ts", import.meta.url));
  const child = spawn(process.execPath, [script, ...args], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { place: line.toString().trim(), kill: () => end(child) };
}

/** The streams of a program: what users have without us. */
export function openProgram(argv: readonly [string, ...string[]]): OpenStream {
  return async () => {
    const child = spawn(argv[0], argv.slice(1), { stdio: ["pipe", "pipe", "ignore"] });
    child.stdin.on("error", () => {});
    return { input: child.stdout, output: child.stdin, close: () => end(child) };
  };
}

/** Streams through a driver. */
export function openRunnerStreams(opened: Promise<Runner>): OpenStream {
  return async () => {
    const { stream, closed } = await (await opened).connect();
    return {
      input: stream,
      output: stream,
      async close() {
        stream.destroy();
        await closed;
      },
    };
  };
}

export async function firstByte(open: OpenStream): Promise<Sample> {
  const started = performance.now();
  const stream = await open();
  stream.output.write("PING\n");
  await once(stream.input, "data");
  const wallMs = performance.now() - started;
  await stream.close();
  return { wallMs };
}

/** So many streams, `atOnce` of them at the same time, until each has had its answer. */
export async function manyStreams(open: OpenStream, count: number, atOnce = count): Promise<Sample> {
  let wallMs = 0;
  for (let done = 0; done < count; done += atOnce) wallMs += await answersOf(open, atOnce);
  return { wallMs };
}

async function answersOf(open: OpenStream, count: number): Promise<number> {
  const started = performance.now();
  const streams = await Promise.all(Array.from({ length: count }, open));
  await Promise.all(
    streams.map(async ({ input, output }) => {
      output.write("PING\n");
      await once(input, "data");
    }),
  );
  const wallMs = performance.now() - started;
  await Promise.all(streams.map((stream) => stream.close()));
  return wallMs;
}

export function download(open: OpenStream, mib = GIB_IN_MIB): Promise<Sample> {
  return timed(open, async ({ input, output }) => {
    output.write(`SOURCE ${mib}\n`);
    await read(input, mib);
  });
}

export function upload(open: OpenStream): Promise<Sample> {
  return timed(open, async ({ input, output }) => {
    output.write(`SINK ${GIB_IN_MIB}\n`);
    const answer = once(input, "data");
    await write(output, GIB_IN_MIB);
    await answer;
  });
}

export function bothWays(open: OpenStream): Promise<Sample> {
  return timed(open, async ({ input, output }) => {
    output.write(`BOTH ${GIB_IN_MIB}\n`);
    await Promise.all([read(input, GIB_IN_MIB), write(output, GIB_IN_MIB)]);
  });
}

/** By how many MiB this process grows while a reader that stops after each piece takes 1 GiB. */
export async function slowReaderGrowthMiB(open: OpenStream): Promise<number> {
  const stream = await open();
  const before = residentMiB();
  let most = 0;
  stream.output.write(`SOURCE ${GIB_IN_MIB}\n`);
  let bytes = 0;
  for await (const chunk of stream.input) {
    bytes += (chunk as Buffer).length;
    most = Math.max(most, residentMiB() - before);
    if (bytes % (4 * 2 ** 20) < (chunk as Buffer).length) await new Promise((resolve) => setTimeout(resolve, 10));
    if (bytes >= GIB_IN_MIB * 2 ** 20) break;
  }
  await stream.close();
  return most;
}

async function timed(open: OpenStream, work: (stream: BenchStream) => Promise<void>): Promise<Sample> {
  const started = performance.now();
  const stream = await open();
  await work(stream);
  const wallMs = performance.now() - started;
  await stream.close();
  return { wallMs };
}

async function read(input: Readable, mib: number): Promise<void> {
  let missing = mib * 2 ** 20;
  await new Promise<void>((resolve, reject) => {
    input.on("data", (chunk: Buffer) => {
      missing -= chunk.length;
      if (missing <= 0) resolve();
    });
    // A stream that broke has no end.
    input.once("end", () => (missing > 0 ? reject(new Error(`${missing} bytes are missing`)) : undefined));
    input.once("error", reject);
  });
}

async function write(output: Writable, mib: number): Promise<void> {
  for (let sent = 0; sent < mib * 2 ** 20; sent += PIECE.length) {
    if (!output.write(PIECE)) await once(output, "drain");
  }
}

function residentMiB(): number {
  return process.memoryUsage.rss() / 2 ** 20;
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
