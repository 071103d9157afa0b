// For everyone who uses runners.
export { createDockerDriver, driver, type DockerSettings } from "./driver.ts";

// For authors of drivers.
export type { DockerHandle, DockerHandleEndpoint } from "./handle.ts";
export { parseDockerTarget, type DockerTarget } from "./target.ts";
