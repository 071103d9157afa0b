export { loadProjectConfig, parseProjectConfig, type ProjectConfig, type ProjectDriver } from "./project-config.ts";
export { openUserStore, type TrustedDriver, type UserSettings, type UserStore } from "./user-store.ts";
export { stableClientId } from "./stable-client-id.ts";
export { registryCredentials, type RegistryCredentialsOptions } from "./registry-credentials.ts";
export type { RegistryCredentials } from "./docker-config.ts";
export { userFolders, type Environment, type UserFolders } from "./user-folders.ts";
