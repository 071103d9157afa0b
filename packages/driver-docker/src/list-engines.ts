import type { CallOptions } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import { ENGINE_LABELS, ENGINE_ROLE, type ListedContainer } from "@anyrunner/engine-container";

import { createHandle, type DockerHandle } from "./handle.ts";

export interface ListedEngine extends ListedContainer {
  readonly id: string;
}

interface ListAnswer {
  readonly Id: string;
  readonly Names: readonly string[] | null;
  readonly Image: string;
  readonly State: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

/** The engines that we made on this daemon, stopped ones too. */
export async function listOwnEngines(client: DockerClient, options: CallOptions): Promise<readonly ListedEngine[]> {
  return listContainers(client, { all: true, filters: { label: [`${ENGINE_LABELS.role}=${ENGINE_ROLE}`] } }, options);
}

/** Everything that runs on this daemon. */
export async function listRunning(client: DockerClient, options: CallOptions): Promise<readonly ListedEngine[]> {
  return listContainers(client, {}, options);
}

export async function listHandles(client: DockerClient, options: CallOptions): Promise<readonly DockerHandle[]> {
  return (await listOwnEngines(client, options)).map((engine) => createHandle(client.endpoint, engine));
}

/** The containers that a query of the API finds. */
export async function listContainers(
  client: DockerClient,
  query: Readonly<Record<string, boolean | object>>,
  { signal }: CallOptions,
): Promise<readonly ListedEngine[]> {
  const containers = await client.json<readonly ListAnswer[]>({ path: "/containers/json", query, signal });
  return containers.map(({ Id: id, Names: names, Image: image, State: state, Labels: labels }) => ({
    id,
    // A container that others link to has names with two slashes, too.
    name: (names ?? []).map((name) => name.replace(/^\//, "")).find((name) => !name.includes("/")) ?? id,
    image,
    labels: labels ?? {},
    running: state === "running",
  }));
}
