import { RunnerError, type JsonObject } from "@anyrunner/core";

/** Something that a container sees at `target`: a folder or file of the host, or a named volume. */
export interface EngineMount extends JsonObject {
  readonly kind: "bind" | "volume";
  /** An absolute path of the machine that runs the container, or the name of a volume. */
  readonly source: string;
  readonly target: string;
  readonly readOnly: boolean;
}

/** All GPUs, so many of them, or just these. */
export type EngineGpus =
  | { readonly kind: "all" }
  | { readonly kind: "count"; readonly count: number }
  | { readonly kind: "devices"; readonly devices: readonly string[] };

const UNITS = ["b", "k", "m", "g", "t"];

/** `4g`, `512m`, `1073741824`: units are powers of 1024, as the docker CLI reads them. Fails with INVALID_OPTION. */
export function parseMemory(text: string): number {
  const match = /^(\d{1,15}(?:\.\d{1,6})?)([kmgt]?)(?:i?b)?$/i.exec(text);
  const bytes = match === null ? 0 : Math.floor(Number(match[1]) * 1024 ** Math.max(0, UNITS.indexOf((match[2] ?? "").toLowerCase())));
  if (bytes < 1 || !Number.isSafeInteger(bytes)) throw invalid("memory", "it must be a size", "write memory=4g or memory=512m");
  return bytes;
}

/** `SOURCE:TARGET[:ro]`; a source with a slash or a drive is a path. Fails with INVALID_OPTION. */
export function parseMount(text: string): EngineMount {
  const match = /^((?:[A-Za-z]:[\\/])?[^:]+):(\/[^:]+)(?::(ro|rw))?$/.exec(text);
  const [, source, target, mode] = match ?? [];
  if (source === undefined || target === undefined)
    throw invalid("mount", "it must be SOURCE:TARGET", "write mount=/folder/here:/folder/there or mount=/folder:/there:ro");
  const kind = /[\\/]/.test(source) ? "bind" : "volume";
  if (kind === "bind" && !/^(\/|[A-Za-z]:[\\/])/.test(source)) throw invalid("mount", `"${source}" is no absolute path`, "write the whole path");
  return { kind, source, target, readOnly: mode === "ro" };
}

/**
 * `all`, a number, or ids separated by commas. With `device=` in front any word is an id; without, only what can't be a slip: an index, a UUID,
 * the name of a CDI device. Fails with INVALID_OPTION.
 */
export function parseGpus(text: string): EngineGpus {
  if (text === "all") return { kind: "all" };
  if (/^[1-9]\d{0,2}$/.test(text)) return { kind: "count", count: Number(text) };
  const id = text.startsWith("device=") ? /^[A-Za-z0-9:._/=-]+$/ : /^(\d+(:\d+)?|(GPU|MIG)-[A-Za-z0-9-/]+|[a-z0-9.-]+\/[a-z0-9._-]+=[A-Za-z0-9:._-]+)$/;
  const devices = text.replace(/^device=/, "").split(",");
  const areIds = devices.every((device) => id.test(device));
  if (!areIds || (devices.length === 1 && text === "0")) throw invalid("gpus", "it must be all, a number, or ids", "write gpus=all, gpus=2 or gpus=device=0,1");
  return { kind: "devices", devices };
}

const DURATION_UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `30m`, `1h30m`, `2d`, in ms; a minute at least, since what is shorter would stop engines between two commands. Fails with INVALID_OPTION. */
export function parseIdle(text: string): number {
  const parts = [...text.matchAll(/(\d{1,6})([smhd])/g)];
  const ms = parts.reduce((sum, [, count, unit]) => sum + Number(count) * (DURATION_UNITS[unit ?? ""] ?? 0), 0);
  if (parts.map(([part]) => part).join("") !== text || ms < 60_000)
    throw invalid("idle", "it must be a duration of a minute or more", "write idle=30m or idle=8h");
  return ms;
}

/** A number of engines, one at least. Fails with INVALID_OPTION. */
export function parseKeep(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) throw invalid("keep", "it must be a number, 1 or more", "write for example keep=2");
  return Number(text);
}

function invalid(name: string, reason: string, hint: string): RunnerError {
  return new RunnerError("INVALID_OPTION", `parameter "${name}" is wrong: ${reason}`, { hint, details: { parameter: name } });
}
