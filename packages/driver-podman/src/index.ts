// For everyone who uses runners.
export { createContainerCliDriver, type ContainerCliSettings } from "./driver.ts";
export { driver } from "./podman.ts";
export { readRuntimeChecks, type RuntimeChecksOptions } from "./require-fit-host.ts";

// For authors of drivers.
export type { ContainerHandle, ContainerHandleEndpoint } from "./handle.ts";
export { parseContainerTarget, type ContainerTarget, type ExistingTarget, type ImageTarget } from "./target.ts";
export type { ContainerRuntime, RuntimeName } from "./runtime.ts";
export { RUNTIMES } from "./runtimes.ts";
