import { createRegistry, openRunner } from "@anyrunner/core";
import { createSshDriver } from "@anyrunner/driver-ssh";
import { startSshServer } from "@anyrunner/testkit";

import { memoryResult, pair, type PairResult } from "./pair.ts";
import type { BenchSettings } from "./settings.ts";
import {
  bothWays,
  download,
  firstByte,
  manyStreams,
  openProgram,
  openRunnerStreams,
  slowReaderGrowthMiB,
  startByteServer,
  upload,
  type OpenStream,
} from "./stream-work.ts";

/** As many as one ssh connection of the peer's carries would be ten; the peer logs in for each. */
const STREAMS = 200;
const PEER_STREAMS_AT_ONCE = 20;

/** Streams through ssh:// against `ssh HOST socat`, on an sshd of their own on 127.0.0.1; this process reads and writes both. */
export async function benchSsh({ runs }: BenchSettings): Promise<readonly PairResult[]> {
  const server = await startSshServer({ config: ["MaxStartups 300"] });
  const far = await startByteServer("unix", `${server.folder}/far.sock`);
  try {
    const url = `ssh://${server.host}${far.place}`;
    const warm = openSshStreams(url, { configFile: server.configFile, idleMs: 60_000 });
    const fresh: OpenStream = () => openSshStreams(url, { configFile: server.configFile, idleMs: 0 })();
    const peer = openProgram(["ssh", "-F", server.configFile, "-T", server.host, `socat - UNIX-CONNECT:${far.place}`]);
    const few = Math.max(3, Math.round(runs / 3));
    const results = [
      await pair({ name: "second dial over ssh / fresh ssh, first byte", runs, target: 0.2, ours: () => firstByte(warm), peer: () => firstByte(peer) }),
      await pair({ name: "first dial over ssh / ssh socat, first byte", runs, target: 1, ours: () => firstByte(fresh), peer: () => firstByte(peer) }),
      await pair({ name: "ssh: 1 GiB down / ssh socat", runs: few, target: 1, ours: () => download(warm), peer: () => download(peer) }),
      await pair({ name: "ssh: 1 GiB up / ssh socat", runs: few, target: 1, ours: () => upload(warm), peer: () => upload(peer) }),
      await pair({ name: "ssh: 1 GiB both ways / ssh socat", runs: few, target: 1, ours: () => bothWays(warm), peer: () => bothWays(peer) }),
      await pair({
        name: `ssh: ${STREAMS} streams at once / as many ssh socat`,
        runs: 1,
        warmUps: 0,
        target: 1,
        ours: () => manyStreams(warm, STREAMS),
        peer: () => manyStreams(peer, STREAMS, PEER_STREAMS_AT_ONCE),
      }),
      memoryResult("ssh: growth while a slow reader takes 1 GiB / 64 MiB", await slowReaderGrowthMiB(warm)),
    ];
    return results;
  } finally {
    await far.kill();
    await server.kill();
  }
}

/** All over one connection while it is in use or idle for less than `idleMs`. */
function openSshStreams(url: string, settings: Parameters<typeof createSshDriver>[0]): OpenStream {
  const driver = createSshDriver(settings);
  const registry = createRegistry([{ name: "ssh", schemes: ["ssh"], origin: "bench", load: async () => ({ driver }) }]);
  return openRunnerStreams(openRunner(url, { registry }));
}
