import { compareEngineVersions, normalizeEngineVersion } from "@anyrunner/core/driver";
import type { ClientMetadata } from "@anyrunner/protocol";

/** The oldest client that an engine of our version accepts (engine protocol 3.3). */
const MINIMUM_CLIENT_VERSION = "v0.19.0";

/** Throws in the engine's words for a client that is too old. One that says no version is taken as it is. */
export function checkClientVersion(metadata: ClientMetadata): void {
  const stated = metadata.clientVersion ?? metadata.labels?.["dagger.io/client.version"] ?? "";
  if (stated === "") return;
  const version = normalizeEngineVersion(stated);
  if (compareEngineVersions(version, MINIMUM_CLIENT_VERSION) < 0) throw new Error(`incompatible client version ${version}`);
}
