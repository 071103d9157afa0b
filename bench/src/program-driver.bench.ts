import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createRegistry, openRunner, type Runner } from "@anyrunner/core";

import { measure } from "./measure.ts";
import { pair, type PairResult } from "./pair.ts";
import type { BenchSettings } from "./settings.ts";
import { BYTE_SERVER_SCRIPT, download, firstByte, openProgram, openRunnerStreams, startByteServer } from "./stream-work.ts";

const IMAGE = process.env["ANYRUNNER_BENCH_IMAGE"] ?? "busybox:test";
const CONTAINER = "anyrunner-bench-program";
const SHELL_DRIVER = join(import.meta.dirname, "../../examples/driver-shell/anyrunner-driver-socat");

/**
 * 1 GiB and the first byte of a dial through a driver that is a program in shell, both ways of its connect, against the same Unix socket
 * dialled in-process, and against `docker exec -i`. With the socket that the program names, also the first byte of further dials. With `stdio` also against the very socat that the program becomes, as a child of this
 * process: what no driver in another process can beat.
 */
export async function benchProgramDriver({ runs }: BenchSettings): Promise<readonly PairResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-bench-"));
  const far = await startByteServer("unix", join(folder, "far.sock"));
  try {
    await measure({ argv: ["docker", "run", "-d", "--rm", "--name", CONTAINER, IMAGE, "sleep", "3600"] });
    const inProcess = openRunnerStreams(openWithDrivers(`unix://${far.place}`));
    const exec = openProgram(["docker", "exec", "-i", CONTAINER, "sh", "-c", BYTE_SERVER_SCRIPT]);
    const bare = openProgram(["socat", "-b", "131072", "-", `UNIX-CONNECT:${far.place}`]);
    const results: PairResult[] = [];
    for (const [way, query] of [
      ["stdio", "?direct=false"],
      ["socket", "?direct=true"],
    ] as const) {
      const runner = openWithDrivers(`socat://UNIX-CONNECT:${far.place}${query}`);
      const ours = openRunnerStreams(runner);
      const asked = openRunnerStreams(runner.then(withFreshHandles));
      for (const [peerName, peer, targets] of [
        ["unix:// in-process", inProcess, { gib: 1.1, firstByte: 20, further: 2 }],
        ["docker exec -i", exec, { gib: 1, firstByte: 1, further: 1 }],
        ...(way === "stdio" ? ([["socat as a child", bare, { gib: 1.1, firstByte: 2, further: 2 }]] as const) : []),
      ] as const) {
        const name = (what: string) => `${what} through a program (${way}) / ${peerName}`;
        const few = Math.max(3, Math.round(runs / 3));
        results.push(
          await pair({ name: name("1 GiB"), runs: few, target: targets.gib, ours: () => download(ours), peer: () => download(peer) }),
          await pair({ name: name("first byte"), runs, target: targets.firstByte, ours: () => firstByte(asked), peer: () => firstByte(peer) }),
        );
        // A program's own way is asked for each time; a socket that it has named is dialled again.
        if (way === "socket") {
          results.push(
            await pair({ name: name("further first byte"), runs, target: targets.further, ours: () => firstByte(ours), peer: () => firstByte(peer) }),
          );
        }
      }
    }
    return results;
  } finally {
    await far.kill();
    await rm(folder, { recursive: true, force: true });
    await measure({ argv: ["docker", "rm", "-f", CONTAINER] });
  }
}

/** Each connection is the first to its handle, so that the program is asked where it leads. */
function withFreshHandles(runner: Runner): Runner {
  return { ...runner, connect: (options = {}) => runner.driver.connect({ ...runner.handle }, options) };
}

function openWithDrivers(url: string): Promise<Runner> {
  const program = async () => (await import("@anyrunner/program-driver")).loadProgramDriver({ command: SHELL_DRIVER });
  const registry = createRegistry([
    { name: "socket", schemes: ["unix"], origin: "@anyrunner/driver-socket", load: () => import("@anyrunner/driver-socket") },
    { name: "socat", schemes: ["socat"], origin: SHELL_DRIVER, load: program },
  ]);
  return openRunner(url, { registry });
}
