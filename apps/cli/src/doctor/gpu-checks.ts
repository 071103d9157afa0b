import { parseRunnerUrl } from "@anyrunner/core";
import { createDockerClient, type DockerEndpoint } from "@anyrunner/docker-endpoint";

import type { CommandContext } from "../command-context.ts";
import type { Recorder } from "./check.ts";
import { isLocalDaemon } from "./docker-checks.ts";

/** Whether the runner's URL asks for GPUs. */
export function asksForGpus(url: string): boolean {
  return url.includes("://") && parseRunnerUrl(url).params.some(({ name }) => name === "gpus");
}

/** Each layer between the kernel and the daemon that has to hand GPUs on; of a machine elsewhere only its daemon can be asked. */
export async function checkGpus(
  { env }: CommandContext,
  endpoint: DockerEndpoint,
  { record, signal }: { readonly record: Recorder; readonly signal: AbortSignal },
): Promise<void> {
  const { gpuReaders, probeGpu } = await import("@anyrunner/images");
  const client = createDockerClient(endpoint);
  try {
    const checks = await probeGpu(gpuReaders({ client, env }), { signal });
    for (const check of checks) if (isLocalDaemon(endpoint) || check.id === "gpu.daemon") record(check);
  } finally {
    client.close();
  }
}
