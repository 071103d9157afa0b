import { createRegistry, openRunner } from "@anyrunner/core";

import { measure } from "./measure.ts";
import { memoryResult, pair, type PairResult } from "./pair.ts";
import type { BenchSettings } from "./settings.ts";
import {
  bothWays,
  BYTE_SERVER_SCRIPT,
  download,
  firstByte,
  manyStreams,
  openProgram,
  openRunnerStreams,
  slowReaderGrowthMiB,
  type OpenStream,
} from "./stream-work.ts";

const IMAGE = process.env["ANYRUNNER_BENCH_KUBE_IMAGE"];
const POD = "anyrunner-bench";
const MIB = 100;
const STREAMS = 200;
const PEER_STREAMS_AT_ONCE = 10;

/**
 * Streams through kube-pod:// against `kubectl exec` of the same program in a pod of `KUBECONFIG`'s cluster, whose nodes have `ANYRUNNER_BENCH_KUBE_IMAGE` (a
 * shell). This process reads and writes both.
 */
export async function benchKubePod({ runs }: BenchSettings): Promise<readonly PairResult[]> {
  if (IMAGE === undefined) return [];
  await measure({ argv: ["kubectl", "run", POD, `--image=${IMAGE}`, "--image-pull-policy=IfNotPresent", "--restart=Never", "--", "sleep", "7200"] });
  try {
    await measure({ argv: ["kubectl", "wait", "--for=condition=Ready", `pod/${POD}`, "--timeout=60s"] });
    await measure({ argv: ["kubectl", "exec", "-i", POD, "--", "sh", "-c", "cat >/bin/buildctl && chmod 755 /bin/buildctl"], stdin: BYTE_SERVER_SCRIPT });
    const ours = openPodStreams();
    const peer = openProgram(["kubectl", "exec", "-i", POD, "--", "buildctl", "dial-stdio"]);
    const few = Math.max(3, Math.round(runs / 2));
    return [
      await pair({ name: "first byte through kube-pod / kubectl exec", runs, target: 1, ours: () => firstByte(ours), peer: () => firstByte(peer) }),
      await pair({ name: `${MIB} MiB through kube-pod / kubectl exec`, runs, target: 1, ours: () => download(ours, MIB), peer: () => download(peer, MIB) }),
      await pair({ name: "1 GiB through kube-pod / kubectl exec", runs: few, target: 1, ours: () => download(ours), peer: () => download(peer) }),
      await pair({ name: "1 GiB both ways through kube-pod / kubectl exec", runs: few, target: 1, ours: () => bothWays(ours), peer: () => bothWays(peer) }),
      await pair({
        name: `kube-pod: ${STREAMS} streams at once / as many kubectl exec, ${PEER_STREAMS_AT_ONCE} at once`,
        runs: 1,
        warmUps: 0,
        target: 1,
        ours: () => manyStreams(ours, STREAMS),
        peer: () => manyStreams(peer, STREAMS, PEER_STREAMS_AT_ONCE),
      }),
      memoryResult("kube-pod: growth while a slow reader takes 1 GiB / 64 MiB", await slowReaderGrowthMiB(ours)),
    ];
  } finally {
    await measure({ argv: ["kubectl", "delete", "pod", POD, "--grace-period=0", "--force"] });
  }
}

function openPodStreams(): OpenStream {
  return openRunnerStreams(
    openRunner(`kube-pod://${POD}`, {
      registry: createRegistry([
        { name: "kubernetes", schemes: ["kube-pod"], origin: "@anyrunner/driver-kubernetes", load: () => import("@anyrunner/driver-kubernetes") },
      ]),
    }),
  );
}
