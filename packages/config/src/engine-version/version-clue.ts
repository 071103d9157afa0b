import { parseEngineVersion } from "@anyrunner/core";

/** One place of the project that says which version of Dagger it is made for: SDKs, CLI and engine are released together. */
export interface VersionClue {
  /** `vX.Y.Z`, or `vX.Y.Z-beta.1`. */
  readonly version: string;
  readonly of: "TypeScript SDK" | "Python SDK" | "Go SDK" | "module" | "Dagger CLI";
  /** The file or program that says it. */
  readonly place: string;
  /** `false` for the oldest version of a range, when no lockfile says which one is in use. */
  readonly exact: boolean;
}

/** The engine's spelling of a version (`0.21.8`, `1.0.0b10` of Python); `undefined` for what no released engine has. */
export function releasedVersion(text: string): string | undefined {
  const trimmed = text.trim().replace(/^v/, "");
  // A build from a commit: there is no engine image of that name.
  if (/[-.]\d{14}-[0-9a-f]{12}$/.test(trimmed)) return undefined;
  const spelled = trimmed.replace(
    /^(\d+\.\d+\.\d+)(a|b|rc)(\d+)$/,
    (_, base: string, kind: string, count: string) => `${base}-${PYTHON_KINDS[kind] ?? kind}.${count}`,
  );
  const version = parseEngineVersion(spelled);
  // 0.0.0 is what the SDKs' own sources say.
  if (version === undefined || version.major + version.minor + version.patch === 0) return undefined;
  const prerelease = version.prerelease.length === 0 ? "" : `-${version.prerelease.join(".")}`;
  return `v${version.major}.${version.minor}.${version.patch}${prerelease}`;
}

/** What a requirement such as `^0.21.8`, `~=0.21.8`, `>=0.18,<0.20` or `==0.21.8` allows at least; nothing when it has no lower bound. */
export function oldestOfRange(requirement: string): Pick<VersionClue, "version" | "exact"> | undefined {
  const match = /^\s*(?<operator>[\^~=>v ]*)(?<version>\d+(?:\.\d+){0,2}[0-9A-Za-z.-]*)/.exec(requirement);
  const text = match?.groups?.["version"];
  if (text === undefined) return undefined;
  const parts = text.split(".");
  const version = releasedVersion(parts.length < 3 && parts.every((part) => /^\d+$/.test(part)) ? [...parts, "0", "0"].slice(0, 3).join(".") : text);
  if (version === undefined) return undefined;
  const pinned = /^[=v ]*$/.test(match?.groups?.["operator"] ?? "") && parts.length >= 3 && requirement.trim().endsWith(text);
  return { version, exact: pinned };
}

const PYTHON_KINDS: Readonly<Record<string, string>> = { a: "alpha", b: "beta", rc: "rc" };
