export { createDefaultRegistry, type DefaultRegistryOptions } from "./default-registry.ts";
export { isPlanned } from "./planned-drivers.ts";
export { requireDriverConsent, trustDriver, TRUST_VARIABLE, type DriverConsentOptions } from "./driver-consent.ts";
export { checkOutsideDriver } from "./outside-entry.ts";
export type { DriverIdentity } from "./driver-files.ts";
export { installCommand } from "./package-manager.ts";
