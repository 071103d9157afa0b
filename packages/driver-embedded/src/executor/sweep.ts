import type { DockerClient } from "@anyrunner/docker-endpoint";

import { OWNER, OWNER_LABEL, PROCESS_LABEL } from "./labels.ts";
import { removeContainer } from "./segment-container.ts";
import type { ProcessTable } from "./session.ts";

/**
 * Removes the containers of executors whose process is dead. Only containers with our labels are looked at; those of another
 * machine stay, as nothing is known about its processes.
 */
export async function sweepDeadSessions(client: DockerClient, processes: ProcessTable): Promise<void> {
  const containers = await client.json<readonly { readonly Id: string; readonly Labels?: Readonly<Record<string, string>> }[]>({
    path: "/containers/json",
    query: { all: true, filters: { label: [`${OWNER_LABEL}=${OWNER}`] } },
  });
  for (const { Id, Labels } of containers) {
    const process = Labels?.[PROCESS_LABEL];
    if (process !== undefined && (await processes.isDead(process))) await removeContainer(client, Id);
  }
}
