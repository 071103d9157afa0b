import type { JsonValue, RunnerHandle } from "@anyrunner/core";
import type { DockerEndpoint } from "@anyrunner/docker-endpoint";
import { ENGINE_LABELS, formatBytes, isOwnedCache } from "@anyrunner/engine-container";

import { countVolumes } from "./docker-volumes.ts";
import type { RunnerFacts } from "./runner-facts.ts";

/** One thing of a runner that takes space. */
export interface DiskItem {
  readonly kind: string;
  readonly name: string;
  /** Absent when the runtime doesn't say. */
  readonly bytes?: number | undefined;
  /** `false` when anyrunner did not make it. */
  readonly owned?: boolean | undefined;
  /** How many things it stands for. Default: one. */
  readonly count?: number | undefined;
  /** `true` for what `anyrunner prune` removes. */
  readonly prunable?: boolean | undefined;
}

/** How long Podman may take to count what its volumes hold, in ms. */
const BUDGET_MS = 60_000;

/**
 * What a runner takes on the disk: `details.disk` of its driver's `inspect`, a list of `{ kind, name, bytes }`; else the volume of the engine,
 * with the size that Docker counts. The engine is never asked: counting its cache entries has killed one. Sizes that can't be had are absent.
 */
export async function diskItems(handle: RunnerHandle, { details }: RunnerFacts, signal: AbortSignal): Promise<readonly DiskItem[]> {
  if (handle.driver === "embedded") return embeddedItems(handle, signal);
  const disk = details?.["disk"];
  if (Array.isArray(disk)) return disk.flatMap((item: JsonValue) => readItem(item) ?? []);
  const volume = handle.labels[ENGINE_LABELS.volume];
  if (volume === undefined) return [];
  const { docker, place } = handle.endpoint as { readonly docker?: DockerEndpoint; readonly place?: string };
  if (docker !== undefined) return [{ kind: "volume", name: volume, ...(await dockerVolume(docker, volume, signal)) }];
  return [{ kind: "volume", name: volume, ...(handle.driver === "podman" && (await podmanVolume(volume, place, signal))) }];
}

async function embeddedItems({ endpoint }: RunnerHandle, signal: AbortSignal): Promise<readonly DiskItem[]> {
  const { readEmbeddedDisk } = await import("@anyrunner/driver-embedded");
  const { docker, state } = endpoint as { readonly docker?: DockerEndpoint; readonly state?: string };
  return docker === undefined || state === undefined ? [] : readEmbeddedDisk({ docker, state, signal });
}

/** `volume anyrunner-engine-v0.21.8 (1.5 GiB)` */
export function describeDiskItem({ kind, name, bytes }: DiskItem): string {
  return `${kind} ${name} (${bytes === undefined ? "size unknown" : formatBytes(bytes)})`;
}

async function dockerVolume(endpoint: DockerEndpoint, name: string, signal: AbortSignal): Promise<Pick<DiskItem, "bytes" | "owned">> {
  const volume = (await countVolumes(endpoint, signal).catch(() => [])).find((candidate) => candidate.name === name);
  return volume === undefined ? {} : { owned: isOwnedCache(volume.labels), bytes: volume.bytes };
}

/** Podman counts what its volumes hold in a table for people only: `NAME LINKS SIZE`, sizes with units of 1000. */
async function podmanVolume(name: string, place: string | undefined, signal: AbortSignal): Promise<Pick<DiskItem, "bytes">> {
  const { runProgram } = await import("@anyrunner/exec");
  const args = [...(place === undefined ? [] : ["--connection", place]), "system", "df", "--verbose"];
  try {
    const { stdout, exitCode } = await runProgram({ command: "podman", args, signal, timeoutMs: BUDGET_MS });
    const bytes = exitCode === 0 ? podmanVolumeBytes(stdout.toString("utf8"), name) : undefined;
    return bytes === undefined ? {} : { bytes };
  } catch {
    return {};
  }
}

/** The size of a volume in what `podman system df --verbose` prints. */
export function podmanVolumeBytes(table: string, name: string): number | undefined {
  const volumes = table.slice(Math.max(0, table.indexOf("VOLUME NAME")));
  const cells = volumes
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .find(([first]) => first === name);
  const [, digits, unit] = /^([\d.]+)([kMGT]?)B$/.exec(cells?.at(-1) ?? "") ?? [];
  return digits === undefined ? undefined : Math.round(Number(digits) * 1000 ** ["", "k", "M", "G", "T"].indexOf(unit ?? ""));
}

function readItem(item: JsonValue): DiskItem | undefined {
  if (typeof item !== "object" || item === null || Array.isArray(item)) return undefined;
  const { kind, name, bytes } = item as Readonly<Record<string, JsonValue | undefined>>;
  if (typeof kind !== "string" || typeof name !== "string") return undefined;
  return { kind, name, ...(typeof bytes === "number" && bytes >= 0 && { bytes }) };
}
