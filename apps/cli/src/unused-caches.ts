import { RunnerError, throwIfAborted } from "@anyrunner/core";
import { CACHE_ROLE, ENGINE_LABELS } from "@anyrunner/engine-container";

import type { CommandContext } from "./command-context.ts";
import { podmanVolumeBytes } from "./disk-usage.ts";
import { countVolumes } from "./docker-volumes.ts";
import { withDocker } from "./with-docker.ts";

/** A cache volume that anyrunner made and whose engine was removed: only its name leads to it. */
export interface UnusedCache {
  readonly driver: "docker" | "podman";
  readonly name: string;
  /** Absent when the runtime doesn't say. */
  readonly bytes?: number | undefined;
}

/** How long Podman may take for one answer, in ms. */
const BUDGET_MS = 60_000;
const LABEL = `${ENGINE_LABELS.role}=${CACHE_ROLE}`;

/** The caches of engines that are no more, on the Docker and the Podman of this machine. A runtime that isn't there has none. Fails with ABORTED only. */
export async function unusedCaches({ env }: Pick<CommandContext, "env">, signal: AbortSignal): Promise<readonly UnusedCache[]> {
  const found = await Promise.all([dockerCaches(env, signal), podmanCaches(env, signal)].map((caches) => caches.catch(() => [])));
  throwIfAborted(signal);
  return found.flat();
}

/** Removes the volume of such a cache. The runtime refuses one that a container uses by now. Fails with COMMAND_FAILED, or as the daemon does. */
export async function removeUnusedCache({ driver, name }: UnusedCache, { env }: Pick<CommandContext, "env">, signal: AbortSignal): Promise<void> {
  if (driver === "docker") {
    await withDocker({ env }, async (client) => {
      const { body } = await client.request({ method: "DELETE", path: `/volumes/${encodeURIComponent(name)}`, expect: [404], signal });
      body.resume();
    });
    return;
  }
  const { exitCode, stderr } = await podman(["volume", "rm", name], env, signal);
  if (exitCode === 0) return;
  throw new RunnerError("COMMAND_FAILED", `podman can't remove the volume "${name}": ${stderr.trim().split("\n").at(-1) ?? ""}`, {
    hint: `see who uses it: podman ps -a --filter volume=${name}`,
    driver,
  });
}

interface DockerVolumes {
  readonly Volumes?: readonly { readonly Name: string }[] | null;
}

function dockerCaches(env: CommandContext["env"], signal: AbortSignal): Promise<readonly UnusedCache[]> {
  return withDocker({ env }, async (client) => {
    const filters = { label: [LABEL], dangling: ["true"] };
    const { Volumes: volumes } = await client.json<DockerVolumes>({ path: "/volumes", query: { filters }, signal });
    const names = (volumes ?? []).map(({ Name: name }) => name);
    if (names.length === 0) return [];
    // Sizes are counted by another call, which takes long.
    const counted = await countVolumes(client.endpoint, signal).catch(() => []);
    return names.map((name) => ({ driver: "docker", name, bytes: counted.find((volume) => volume.name === name)?.bytes }));
  });
}

async function podmanCaches(env: CommandContext["env"], signal: AbortSignal): Promise<readonly UnusedCache[]> {
  const listed = await podman(["volume", "ls", "--filter", `label=${LABEL}`, "--filter", "dangling=true", "--format", "{{.Name}}"], env, signal);
  const names = listed.exitCode === 0 ? listed.stdout.split("\n").filter((name) => name !== "") : [];
  if (names.length === 0) return [];
  const table = await podman(["system", "df", "--verbose"], env, signal);
  return names.map((name) => {
    const bytes = table.exitCode === 0 ? podmanVolumeBytes(table.stdout, name) : undefined;
    return { driver: "podman", name, ...(bytes !== undefined && { bytes }) };
  });
}

async function podman(args: readonly string[], env: CommandContext["env"], signal: AbortSignal): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const { runProgram } = await import("@anyrunner/exec");
  const { exitCode, stdout, stderr } = await runProgram({ command: "podman", args, env, signal, timeoutMs: BUDGET_MS });
  return { exitCode, stdout: stdout.toString("utf8"), stderr };
}
