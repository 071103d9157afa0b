export { loadProjectConfig, type ProjectConfig, type ProjectDriver } from "./project-config.ts";
export { openUserStore, type InstalledDriver, type TrustedDriver, type UserSettings, type UserStore } from "./user-store.ts";
export { stableClientId } from "./stable-client-id.ts";
export { registryCredentials, type RegistryCredentialsOptions } from "./registry-credentials.ts";
export type { RegistryCredentials } from "./docker-config.ts";
export { HOME_VARIABLE, userFolders, type Environment, type UserFolders } from "./user-folders.ts";
export {
  describeClue,
  findEngineVersion,
  requireOneEngine,
  type EngineVersionFinding,
  type FindEngineVersionOptions,
} from "./engine-version/find-engine-version.ts";
export { DEFAULT_ENGINE_VERSION, engineImageName, wantsGpu, type EngineImageNameOptions } from "./engine-version/engine-image-name.ts";
export type { VersionClue } from "./engine-version/version-clue.ts";
export { isRunnerName, type NamedRunner } from "./named-runner.ts";
export { openHandleStore, type HandleStore, type StoredHandle } from "./handle-store.ts";
export { openEngineUses, type EngineLease, type EngineUse, type EngineUses } from "./engine-uses.ts";
export { rememberEngineStart, type EngineStart } from "./engine-starts.ts";
export { openBridgeStore, type BridgeStore, type StoredBridge } from "./bridge-store.ts";
export { processLives } from "./process-lives.ts";
export { withFileLock } from "./with-file-lock.ts";
