import { RunnerError, type CallOptions } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import { explainGpuFailure } from "@anyrunner/engine-container";

import { containerName, type ContainerDetails } from "./container.ts";

/** Starts a container; one that runs is left as it is. `false`: it is gone. Fails with COMMAND_FAILED and the daemon's words. */
export async function startContainer(client: DockerClient, container: ContainerDetails, { signal }: CallOptions): Promise<boolean> {
  try {
    const { body } = await client.request({ method: "POST", path: `/containers/${container.Id}/start`, expect: [304], signal });
    body.resume();
    return true;
  } catch (error) {
    if (!RunnerError.is(error) || error.details?.["status"] === undefined) throw error;
    if (/no such container|marked for removal|removal of container/i.test(error.message)) return false;
    const name = containerName(container);
    throw new RunnerError("COMMAND_FAILED", `the container "${name}" can't be started: ${error.message}`, {
      hint: startHint(error.message),
      cause: error,
      driver: "docker",
      details: { container: name },
    });
  }
}

function startHint(words: string): string {
  if (/port is already allocated|address already in use/i.test(words)) return "choose another port=, or stop the program that has it";
  const gpu = explainGpuFailure(words);
  if (gpu !== undefined) return gpu.remedy;
  if (/privileged|operation not permitted|permission denied/i.test(words))
    return "an engine needs a daemon that allows privileged containers: use a runner elsewhere, or embedded://";
  if (/network/i.test(words)) return "check network=";
  return "look at the daemon's words";
}
