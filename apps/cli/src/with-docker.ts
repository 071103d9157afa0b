import type { DockerClient } from "@anyrunner/docker-endpoint";

import type { CommandContext } from "./command-context.ts";

/** Does something with the Docker that the user's environment names, and closes the connections to it. */
export async function withDocker<T>({ env }: Pick<CommandContext, "env">, work: (client: DockerClient) => Promise<T>): Promise<T> {
  const { createDockerClient, resolveDockerEndpoint } = await import("@anyrunner/docker-endpoint");
  const client = createDockerClient(await resolveDockerEndpoint({ env }));
  try {
    return await work(client);
  } finally {
    client.close();
  }
}
