import { createRegistry, openRunner } from "@anyrunner/core";

import { benchExecPairs } from "./exec-pairs.ts";
import { measure } from "./measure.ts";
import type { PairResult } from "./pair.ts";
import type { BenchSettings } from "./settings.ts";
import { BYTE_SERVER_SCRIPT, openProgram, openRunnerStreams, type OpenStream } from "./stream-work.ts";

const IMAGE = process.env["ANYRUNNER_BENCH_KUBE_IMAGE"];
const POD = "anyrunner-bench";

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
    return await benchExecPairs({
      ours: "kube-pod",
      openOurs: openPodStreams(),
      peer: "kubectl exec",
      openPeer: openProgram(["kubectl", "exec", "-i", POD, "--", "buildctl", "dial-stdio"]),
      runs,
      peerStreamsAtOnce: 10,
    });
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
