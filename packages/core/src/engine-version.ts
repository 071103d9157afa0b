import { RunnerError } from "./runner-error.ts";

/** What the `package` field of an engine's Info must say (engine protocol, Control/Info). */
export const ENGINE_PACKAGE = "github.com/dagger/dagger";

/** The oldest engine that clients since 0.19 accept, and that this one speaks to without guessing (protocol 3.3). */
export const MINIMUM_ENGINE_VERSION = "v0.14.0";

/** A semantic version in its parts. */
export interface EngineVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** What stands between the dots behind `-`. */
  readonly prerelease: readonly string[];
}

const PRERELEASE_PART = String.raw`(?:0|[1-9]\d*|\d*[A-Za-z-][0-9A-Za-z-]*)`;
const BUILD_PART = String.raw`[0-9A-Za-z-]+`;
const SEMVER = new RegExp(
  String.raw`^v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(${PRERELEASE_PART}(?:\.${PRERELEASE_PART})*))?(?:\+${BUILD_PART}(?:\.${BUILD_PART})*)?$`,
);

/** `undefined` for what is no semantic version. The build part (`+commit`) is dropped. */
export function parseEngineVersion(text: string): EngineVersion | undefined {
  const match = SEMVER.exec(text.trim());
  if (match === null) return undefined;
  return { major: Number(match[1]), minor: Number(match[2]), patch: Number(match[3]), prerelease: match[4]?.split(".") ?? [] };
}

/** The engine's own normalisation (protocol 3.3): a `v` in front; what is no version counts as v0.11.9; empty stays empty. */
export function normalizeEngineVersion(text: string): string {
  const trimmed = text.trim();
  if (trimmed === "") return "";
  if (parseEngineVersion(trimmed) === undefined) return "v0.11.9";
  return trimmed.startsWith("v") ? trimmed : `v${trimmed}`;
}

/** The version without build and pre-release parts: `v0.21.8-beta.1+abc` → `v0.21.8`. */
export function baseEngineVersion(text: string): string {
  const version = parseEngineVersion(normalizeEngineVersion(text));
  return version === undefined ? "" : `v${version.major}.${version.minor}.${version.patch}`;
}

/**
 * Negative, zero or positive, by the rule of the newer side: from 1.0 on base versions are compared, before that semantic
 * precedence decides, except that two development builds (`-dev-`) compare by base (protocol 3.3).
 */
export function compareEngineVersions(left: string, right: string): number {
  const a = parseEngineVersion(normalizeEngineVersion(left)) ?? ZERO;
  const b = parseEngineVersion(normalizeEngineVersion(right)) ?? ZERO;
  const base = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (base !== 0) return base;
  if (Math.max(a.major, b.major) >= 1) return 0;
  if (left.includes("-dev-") && right.includes("-dev-")) return 0;
  return comparePrerelease(a.prerelease, b.prerelease);
}

/** What is asked of an engine. */
export interface CheckEngineOptions {
  /** Oldest engine that the client accepts. Default `MINIMUM_ENGINE_VERSION`. */
  readonly minimum?: string | undefined;
  /** For the message: which runner. */
  readonly runner: string;
}

/** Checks what Info answered. Fails with WRONG_SERVER for another package, VERSION_MISMATCH for too old an engine. */
export function checkEngine(info: { readonly package: string; readonly version: string }, options: CheckEngineOptions): void {
  if (info.package !== ENGINE_PACKAGE) {
    throw new RunnerError("WRONG_SERVER", `${options.runner} is no Dagger engine: it says it is "${info.package}"`, {
      hint: "point the URL at a Dagger engine",
      details: { package: info.package, version: info.version },
    });
  }
  const minimum = options.minimum ?? MINIMUM_ENGINE_VERSION;
  // An engine built without a version counts as the newest (protocol 3.3).
  if (info.version.trim() !== "" && compareEngineVersions(info.version, minimum) < 0) {
    throw new RunnerError("VERSION_MISMATCH", `the engine behind ${options.runner} has version ${info.version}; the oldest that works is ${minimum}`, {
      hint: `use an engine of ${minimum} or newer`,
      details: { version: info.version, minimum },
    });
  }
}

/**
 * The oldest client that an engine of `version` accepts (table of protocol 3.3), to explain a refusal before it happens.
 * `undefined` for versions outside the table.
 */
export function minimumClientVersion(version: string): string | undefined {
  const rows: readonly (readonly [string, string])[] = [
    ["v0.19.0", "v0.19.0"],
    ["v0.17.0", "v0.17.0"],
    ["v0.16.0", "v0.16.0"],
    ["v0.14.0", "v0.12.5"],
  ];
  return rows.find(([from]) => compareEngineVersions(baseEngineVersion(version), from) >= 0)?.[1];
}

const ZERO: EngineVersion = { major: 0, minor: 0, patch: 0, prerelease: [] };

function comparePrerelease(a: readonly string[], b: readonly string[]): number {
  if (a.length === 0 || b.length === 0) return (a.length === 0 ? 1 : 0) - (b.length === 0 ? 1 : 0);
  for (let index = 0; index < Math.max(a.length, b.length); index++) {
    const left = a[index];
    const right = b[index];
    if (left === undefined) return -1;
    if (right === undefined) return 1;
    const numericLeft = /^\d+$/.test(left);
    const numericRight = /^\d+$/.test(right);
    if (numericLeft && numericRight && left.length !== right.length) return left.length - right.length;
    if (numericLeft !== numericRight) return numericLeft ? -1 : 1;
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}
