// For everyone who uses runners.
export { createKubernetesDriver, driver, type KubernetesSettings } from "./driver.ts";

// For authors of drivers.
export type { KubernetesHandle, KubernetesHandleEndpoint } from "./handle.ts";
export { parseKubernetesTarget, type KubernetesTarget } from "./target.ts";
