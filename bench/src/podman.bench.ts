import { createRegistry, openRunner } from "@anyrunner/core";

import { benchExecPairs } from "./exec-pairs.ts";
import { measure } from "./measure.ts";
import type { PairResult } from "./pair.ts";
import type { BenchSettings } from "./settings.ts";
import { BYTE_SERVER_SCRIPT, openProgram, openRunnerStreams, type OpenStream } from "./stream-work.ts";

const IMAGE = process.env["ANYRUNNER_BENCH_PODMAN_IMAGE"];
const CONTAINER = "anyrunner-bench-podman";

/** Streams through podman-container:// against `podman exec -i` of the same program; Podman must have `ANYRUNNER_BENCH_PODMAN_IMAGE` (a shell). */
export async function benchPodman({ runs }: BenchSettings): Promise<readonly PairResult[]> {
  if (IMAGE === undefined) return [];
  await measure({ argv: ["podman", "run", "--detach", "--rm", "--name", CONTAINER, "--network", "none", "--pull", "never", IMAGE, "sleep", "7200"] });
  try {
    await measure({ argv: ["podman", "exec", "-i", CONTAINER, "sh", "-c", "cat >/bin/buildctl && chmod 755 /bin/buildctl"], stdin: BYTE_SERVER_SCRIPT });
    return await benchExecPairs({
      ours: "podman-container",
      openOurs: openContainerStreams(),
      peer: "podman exec -i",
      openPeer: openProgram(["podman", "exec", "-i", CONTAINER, "buildctl", "dial-stdio"]),
      runs,
      peerStreamsAtOnce: 200,
    });
  } finally {
    await measure({ argv: ["podman", "rm", "--force", "--time", "0", CONTAINER] });
  }
}

function openContainerStreams(): OpenStream {
  const load = () => import("@anyrunner/driver-podman");
  return openRunnerStreams(
    openRunner(`podman-container://${CONTAINER}`, {
      registry: createRegistry([{ name: "podman", schemes: ["podman-container"], origin: "@anyrunner/driver-podman", load }]),
    }),
  );
}
