import { compareEngineVersions } from "@anyrunner/core";

const RUNTIMES = ["docker", "apple", "podman", "finch", "nerdctl"];

/** Schemes of the official client, and the releases that have them (engine protocol 1.2). */
const OFFICIAL_SCHEMES: readonly { readonly schemes: readonly string[]; readonly since?: string; readonly until?: string }[] = [
  { schemes: ["tcp", "unix", "ssh", "kube-pod", "docker-image", "docker-container"] },
  { schemes: ["podman-container"], until: "v0.18.15" },
  { schemes: ["dagger-cloud"], since: "v0.18.9" },
  { schemes: ["image", "container", ...RUNTIMES.flatMap((name) => [`image+${name}`, `container+${name}`])], since: "v0.18.15" },
  { schemes: ["tls"], since: "v0.20.1" },
];

/** Whether the official client of a version (default: the newest) knows the scheme. That it takes every parameter of ours is not said. */
export function isOfficialScheme(scheme: string, version?: string): boolean {
  return OFFICIAL_SCHEMES.some(
    ({ schemes, since, until }) =>
      schemes.includes(scheme) &&
      (version === undefined ? until === undefined : isAtLeast(version, since) && (until === undefined || compareEngineVersions(version, until) < 0)),
  );
}

function isAtLeast(version: string, since: string | undefined): boolean {
  return since === undefined || compareEngineVersions(version, since) >= 0;
}
