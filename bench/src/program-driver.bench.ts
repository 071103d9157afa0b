import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

import { createRegistry, openRunner, type Runner } from "@anyrunner/core";

import { measure } from "./measure.ts";
import { pair, type PairResult, type Sample } from "./pair.ts";
import type { BenchSettings } from "./settings.ts";

const IMAGE = process.env["ANYRUNNER_BENCH_IMAGE"] ?? "busybox:test";
const CONTAINER = "anyrunner-bench-program";
const GIB = 2 ** 30;
const SHELL_DRIVER = join(import.meta.dirname, "../../examples/driver-shell/anyrunner-driver-socat");

/** A far end of its own: 1 GiB of zeros for everyone who connects. */
const FAR_END = `require("node:net").createServer((socket) => {
  const piece = Buffer.alloc(2 ** 20);
  let left = 1024;
  socket.on("error", () => socket.destroy());
  const more = () => { while (left > 0) { left--; if (!socket.write(piece)) return; } socket.end(); };
  socket.on("drain", more);
  more();
}).listen(process.argv[1], () => console.log("ready"));`;

/**
 * 1 GiB and the first byte of a dial through a driver that is a program in shell, both ways of its connect, against the same Unix socket
 * dialled in-process, and against \`docker exec -i\`.
 */
export async function benchProgramDriver({ runs }: BenchSettings): Promise<readonly PairResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-bench-"));
  const path = join(folder, "far-end.sock");
  const farEnd = spawn(process.execPath, ["--eval", FAR_END, path], { stdio: ["ignore", "pipe", "inherit"] });
  await once(farEnd.stdout, "data");
  await measure({ argv: ["docker", "run", "-d", "--rm", "--name", CONTAINER, IMAGE, "sleep", "3600"] });
  try {
    const inProcess = await open(`unix://${path}`);
    const exec = (): Readable =>
      spawn("docker", ["exec", "-i", CONTAINER, "dd", "if=/dev/zero", "bs=1048576", "count=1024"], { stdio: ["pipe", "pipe", "ignore"] }).stdout;
    const results: PairResult[] = [];
    for (const [way, query] of [
      ["stdio", ""],
      ["socket", "?direct=true"],
    ] as const) {
      const program = await open(`socat://UNIX-CONNECT:${path}${query}`);
      const ours = async () => (await program.connect()).stream;
      for (const [peerName, peer] of [
        ["unix:// in-process", async () => (await inProcess.connect()).stream],
        ["docker exec -i", async () => exec()],
      ] as const) {
        const name = (what: string) => `${what} through a program (${way}) / ${peerName}`;
        results.push(
          await pair({
            name: name("1 GiB"),
            runs: Math.max(3, Math.round(runs / 3)),
            target: peerName === "docker exec -i" ? 1 : 1.1,
            ours: () => drain(ours),
            peer: () => drain(peer),
          }),
          await pair({
            name: name("first byte"),
            runs,
            target: peerName === "docker exec -i" ? 1 : 20,
            ours: () => firstByte(ours),
            peer: () => firstByte(peer),
          }),
        );
      }
    }
    return results;
  } finally {
    farEnd.kill();
    await measure({ argv: ["docker", "rm", "-f", CONTAINER] });
    await rm(folder, { recursive: true, force: true });
  }
}

function open(url: string): Promise<Runner> {
  const program = async () => (await import("@anyrunner/program-driver")).loadProgramDriver({ command: SHELL_DRIVER });
  return openRunner(url, {
    registry: createRegistry([
      { name: "socket", schemes: ["unix"], origin: "@anyrunner/driver-socket", load: () => import("@anyrunner/driver-socket") },
      { name: "socat", schemes: ["socat"], origin: SHELL_DRIVER, load: program },
    ]),
  });
}

async function drain(dial: () => Promise<Readable>): Promise<Sample> {
  const started = performance.now();
  const stream = await dial();
  let bytes = 0;
  stream.on("data", (chunk: Buffer) => (bytes += chunk.length));
  await once(stream, "end");
  const wallMs = performance.now() - started;
  stream.destroy();
  if (bytes !== GIB) throw new Error(`${bytes} bytes came through`);
  return { wallMs };
}

async function firstByte(dial: () => Promise<Readable>): Promise<Sample> {
  const started = performance.now();
  const stream = await dial();
  await once(stream, "data");
  const wallMs = performance.now() - started;
  stream.on("error", () => {});
  stream.destroy();
  return { wallMs };
}
