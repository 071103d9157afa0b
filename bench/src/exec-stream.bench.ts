import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";

import type { Runner } from "@anyrunner/core";

import { openBenchRunner } from "./bench-runner.ts";
import { measure } from "./measure.ts";
import { pair, type PairResult, type Sample } from "./pair.ts";
import type { BenchSettings } from "./settings.ts";

const IMAGE = process.env["ANYRUNNER_BENCH_IMAGE"] ?? "busybox:test";
const CONTAINER = "anyrunner-bench-stream";
const MIB = 1024;

/** What the container offers as `buildctl`: 1 GiB of zeros. */
const FAR_END = `#!/bin/sh\nexec dd if=/dev/zero bs=1048576 count=${MIB} 2>/dev/null\n`;

/**
 * Streams out of a container through the docker-container driver against `docker exec -i`: 1 GiB, and the first byte of a dial.
 * Ours happens in a process that runs already, as a session's dials do; the peer is spawned, as the official client's dials
 * are. This process reads both. The container has no engine, so the driver takes its exec.
 */
export async function benchExecStream({ runs }: BenchSettings): Promise<readonly PairResult[]> {
  await measure({ argv: ["docker", "run", "-d", "--rm", "--name", CONTAINER, IMAGE, "sleep", "3600"] });
  try {
    await measure({ argv: ["docker", "exec", "-i", CONTAINER, "sh", "-c", "cat >/bin/buildctl && chmod 755 /bin/buildctl"], stdin: FAR_END });
    const peer = ["docker", "exec", "-i", CONTAINER, "buildctl", "dial-stdio"] as const;
    const runner = await openBenchRunner(`docker-container://${CONTAINER}`);
    return [
      await pair({
        name: "1 GiB through docker-container / docker exec -i (time)",
        runs: Math.max(3, Math.round(runs / 2)),
        target: 1.0,
        ours: () => drain(async () => (await runner.connect()).stream),
        peer: () => drain(async () => spawn(peer[0], peer.slice(1), { stdio: ["pipe", "pipe", "inherit"] }).stdout),
      }),
      await pair({
        name: "first byte through docker-container / docker exec -i",
        runs,
        target: 0.8,
        ours: () => firstByteOfDial(runner),
        peer: () => firstByte(peer),
      }),
    ];
  } finally {
    await measure({ argv: ["docker", "rm", "-f", CONTAINER] });
  }
}

async function drain(open: () => Promise<Readable>): Promise<Sample> {
  const started = performance.now();
  const stream = await open();
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await once(stream, "close");
  if (bytes !== MIB * 2 ** 20) throw new Error(`${bytes} bytes came through`);
  return { wallMs: performance.now() - started };
}

async function firstByteOfDial(runner: Runner): Promise<Sample> {
  const started = performance.now();
  const { stream } = await runner.connect();
  await once(stream, "data");
  const wallMs = performance.now() - started;
  stream.destroy();
  return { wallMs };
}

async function firstByte([file, ...args]: readonly [string, ...string[]]): Promise<Sample> {
  const started = performance.now();
  const child = spawn(file, args, { stdio: ["pipe", "pipe", "inherit"] });
  await once(child.stdout, "data");
  const wallMs = performance.now() - started;
  const exited = once(child, "close");
  child.kill("SIGKILL");
  await exited;
  return { wallMs };
}
