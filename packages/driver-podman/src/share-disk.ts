import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { RunnerError, type CallOptions } from "@anyrunner/core/driver";
import {
  CACHE_ROLE,
  ENGINE_CONFIG_FILE,
  ENGINE_LABELS,
  isOwnedEngine,
  OFFICIAL_NAME_PREFIX,
  shareDisk,
  type EngineContainerPlan,
} from "@anyrunner/engine-container";

import { commandFailure } from "./command-failure.ts";
import type { ContainerCli } from "./container-cli.ts";
import type { ContainerDetails } from "./container-details.ts";

const NO_FILE = /no such file|could not be found|not found|does not exist/i;

/** How many engines the disk of the runtime has when the planned one is there: volumes of ours, whose engines come back, and engines of the official client. */
export async function countEngines(cli: ContainerCli, volume: string, options: CallOptions): Promise<number> {
  const { files, list, parseList } = cli.runtime.grammar;
  if (files === undefined) return 1;
  const doing = "count the engines on its disk";
  const [volumes, containers] = await Promise.all([
    cli.run(files.listVolumes({ name: ENGINE_LABELS.role, value: CACHE_ROLE }), { ...options, doing }),
    cli.run(list(), { ...options, doing }),
  ]);
  const caches = volumes.split("\n").filter((name) => name !== "" && name !== volume);
  return 1 + caches.length + parseList(containers).filter((name) => name.startsWith(OFFICIAL_NAME_PREFIX)).length;
}

/** Whether the container gets a file of the user's own, which stays as it is. */
export function hasOwnConfig({ mounts }: Pick<EngineContainerPlan, "mounts">): boolean {
  return mounts.some(({ target }) => target === ENGINE_CONFIG_FILE);
}

/** The same for an engine that is there already, before it is started again; what we did not make stays as it is. */
export async function shareDiskOfExisting(cli: ContainerCli, container: ContainerDetails, options: CallOptions): Promise<void> {
  if (!isOwnedEngine(container.labels) || (container.mountPoints ?? [ENGINE_CONFIG_FILE]).includes(ENGINE_CONFIG_FILE)) return;
  await told(options, async () => {
    const volume = container.labels[ENGINE_LABELS.volume] ?? container.name;
    await writeLimits(cli, container.id, await countEngines(cli, volume, options), options);
  });
}

/** Writes limits of garbage collection into an engine that doesn't run, when it shares its disk with others. What can't be written is a warning. */
export function shareDiskAmong(cli: ContainerCli, container: string, engines: number, options: CallOptions): Promise<void> {
  return told(options, () => writeLimits(cli, container, engines, options));
}

async function writeLimits(cli: ContainerCli, container: string, engines: number, { signal }: CallOptions): Promise<void> {
  const { files } = cli.runtime.grammar;
  if (files === undefined || engines < 2) return;
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-engine-"));
  const copy = (from: string, to: string) => cli.attempt(files.copy(from, to), { signal, doing: "write the engine's limits" });
  try {
    const local = join(folder, "engine.json");
    const place = `${container}:${ENGINE_CONFIG_FILE}`;
    const read = await copy(place, local);
    if (read.exitCode !== 0 && !NO_FILE.test(read.stderr)) throw commandFailure(cli, read, "read the engine's configuration");
    const limited = shareDisk(read.exitCode === 0 ? await readFile(local, "utf8") : undefined, engines);
    if (limited === undefined) return;
    await writeFile(local, limited, { mode: 0o644 });
    const written = await copy(local, place);
    // An image without that folder has no engine that would read the file.
    if (written.exitCode !== 0 && !NO_FILE.test(written.stderr)) throw commandFailure(cli, written, "write the engine's limits");
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** An engine without limits is better than none. */
async function told({ report, signal }: CallOptions, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (signal?.aborted) throw error;
    const { message, hint } = RunnerError.from(error, "COMMAND_FAILED");
    report?.({ type: "warning", id: "engine-disk-limits", message: `the engine gets no limits for its disk: ${message}`, hint });
  }
}
