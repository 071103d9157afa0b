import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createSocketDriver } from "@anyrunner/driver-socket";
import { createCertificates } from "@anyrunner/driver-socket/certs";
import { createRegistry, openRunner } from "@anyrunner/core";

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

const STREAMS = 200;

interface Place {
  readonly scheme: string;
  readonly server: readonly string[];
  url(place: string): string;
  peer(place: string): readonly [string, ...string[]];
}

/** Streams through unix://, tcp:// and tls:// against `socat` and `openssl s_client`; this process reads and writes both. */
export async function benchSockets({ runs }: BenchSettings): Promise<readonly PairResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-bench-"));
  const certificates = join(folder, "certs");
  await createCertificates({ folder: certificates, hosts: ["127.0.0.1"] });
  const [ca, client] = [join(certificates, "ca.pem"), join(certificates, "client.pem")];
  const places: readonly Place[] = [
    {
      scheme: "unix",
      server: ["unix", join(folder, "far.sock")],
      url: (path) => `unix://${path}`,
      peer: (path) => ["socat", "-b", "262144", "-", `UNIX-CONNECT:${path}`],
    },
    {
      scheme: "tcp",
      server: ["tcp"],
      url: (port) => `tcp://127.0.0.1:${port}`,
      peer: (port) => ["socat", "-b", "262144", "-", `TCP:127.0.0.1:${port},nodelay`],
    },
    {
      scheme: "tls",
      server: ["tls", certificates],
      url: (port) => `tls://127.0.0.1:${port}?ca_path=${ca}&cert_path=${client}&key_path=${client}`,
      peer: (port) => [
        "openssl",
        "s_client",
        "-quiet",
        "-verify_return_error",
        "-CAfile",
        ca,
        "-cert",
        client,
        "-key",
        client,
        "-connect",
        `127.0.0.1:${port}`,
      ],
    },
  ];
  try {
    const results: PairResult[] = [];
    for (const place of places) results.push(...(await benchPlace(place, runs)));
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function benchPlace({ scheme, server, url, peer: peerArguments }: Place, runs: number): Promise<readonly PairResult[]> {
  const far = await startByteServer(...server);
  const ours = openSocketStreams(url(far.place));
  const peerCommand = peerArguments(far.place);
  const peer = openProgram(peerCommand);
  const [tool] = peerCommand;
  const few = Math.max(3, Math.round(runs / 3));
  try {
    return [
      await pair({ name: `${scheme}: first byte / ${tool}`, runs, target: 1, ours: () => firstByte(ours), peer: () => firstByte(peer) }),
      await pair({ name: `${scheme}: 1 GiB down / ${tool}`, runs: few, target: 1, ours: () => download(ours), peer: () => download(peer) }),
      await pair({ name: `${scheme}: 1 GiB up / ${tool}`, runs: few, target: 1, ours: () => upload(ours), peer: () => upload(peer) }),
      await pair({ name: `${scheme}: 1 GiB both ways / ${tool}`, runs: few, target: 1, ours: () => bothWays(ours), peer: () => bothWays(peer) }),
      await pair({
        name: `${scheme}: ${STREAMS} streams at once / as many ${tool}`,
        runs: few,
        target: 1,
        ours: () => manyStreams(ours, STREAMS),
        peer: () => manyStreams(peer, STREAMS),
      }),
      memoryResult(`${scheme}: growth while a slow reader takes 1 GiB / 64 MiB`, await slowReaderGrowthMiB(ours)),
    ];
  } finally {
    await far.kill();
  }
}

function openSocketStreams(url: string): OpenStream {
  const driver = createSocketDriver();
  const registry = createRegistry([{ name: "socket", schemes: driver.schemes, origin: "bench", load: async () => ({ driver }) }]);
  return openRunnerStreams(openRunner(url, { registry }));
}
