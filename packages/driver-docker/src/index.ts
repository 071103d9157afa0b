// For everyone who uses runners.
export { createDockerDriver, driver, type DockerSettings } from "./driver.ts";
export { findRunningEngine, type FindRunningEngineOptions, type RunningEngine } from "./find-running-engine.ts";

// For authors of drivers.
export type { DockerHandle, DockerHandleEndpoint } from "./handle.ts";
export { parseDockerTarget, type DockerContainerTarget, type DockerImageTarget, type DockerTarget } from "./target.ts";
