import { posix } from "node:path";

import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { readContainerFile, writeContainerFile, type DockerClient } from "@anyrunner/docker-endpoint";
import { ENGINE_CONFIG_FILE, isOwnedCache, isOwnedEngine, OFFICIAL_NAME_PREFIX, shareDisk } from "@anyrunner/engine-container";

import type { ContainerDetails } from "./container.ts";
import { listContainers } from "./list-engines.ts";

const [FOLDER, FILE] = [posix.dirname(ENGINE_CONFIG_FILE), posix.basename(ENGINE_CONFIG_FILE)];

/**
 * Writes limits of garbage collection into an engine of ours that is about to start, when others lie on the daemon's disk: each claims
 * three quarters of it by default. A file that the user gave stays as it is. What can't be written is a warning.
 */
export async function shareDiskAmongEngines(client: DockerClient, container: ContainerDetails, options: CallOptions): Promise<void> {
  const { report, signal } = options;
  if (!isOwnedEngine(container.Config.Labels) || (container.Mounts ?? []).some(({ Destination }) => Destination === ENGINE_CONFIG_FILE)) return;
  try {
    const engines = await countEngines(client, options);
    if (engines < 2) return;
    const text = await readContainerFile(client, container.Id, ENGINE_CONFIG_FILE, options);
    const limited = shareDisk(text, engines);
    if (limited !== undefined) await writeContainerFile(client, container.Id, { folder: FOLDER, name: FILE, text: limited }, options);
  } catch (error) {
    throwIfAborted(signal);
    if (!RunnerError.is(error)) throw error;
    // An image without that folder has no engine that would read the file.
    if (error.code === "NOT_FOUND") return;
    report?.({ type: "warning", id: "engine-disk-limits", message: `the engine gets no limits for its disk: ${error.message}`, hint: error.hint });
  }
}

/** Volumes of ours, whose engines may be stopped but come back, and engines of the official client. */
async function countEngines(client: DockerClient, options: CallOptions): Promise<number> {
  const [{ Volumes: volumes }, containers] = await Promise.all([
    client.json<{ readonly Volumes: readonly { readonly Labels: Readonly<Record<string, string>> | null }[] | null }>({
      path: "/volumes",
      signal: options.signal,
    }),
    listContainers(client, { all: true, filters: { name: [OFFICIAL_NAME_PREFIX] } }, options),
  ]);
  return (
    (volumes ?? []).filter(({ Labels: labels }) => isOwnedCache(labels)).length + containers.filter(({ name }) => name.startsWith(OFFICIAL_NAME_PREFIX)).length
  );
}
