import type { DockerClient } from "@anyrunner/docker-endpoint";

export interface StopContainerOptions {
  /** Between the signal to end and the one to kill; 0 kills at once. */
  readonly graceMs: number;
  readonly signal?: AbortSignal | undefined;
}

/** Stops a container and resolves when it has ended; one that is stopped or gone is no failure. */
export async function stopContainer(client: DockerClient, id: string, { graceMs, signal }: StopContainerOptions): Promise<void> {
  const query = { t: Math.ceil(graceMs / 1000) };
  const { body } = await client.request({ method: "POST", path: `/containers/${id}/stop`, query, expect: [304, 404], signal });
  body.resume();
}
