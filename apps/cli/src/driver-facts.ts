import { RunnerError, type DriverEntry, type OptionSpec, type Registry } from "@anyrunner/core";
import { checkOutsideDriver, isPlanned } from "@anyrunner/drivers";

/** What can be said of a driver. */
export interface DriverFacts {
  readonly name: string;
  /** The package, file or folder that it comes from. */
  readonly package: string;
  readonly schemes: readonly string[];
  readonly foundBy?: string | undefined;
  /** Of its package, as it announces it, else as the driver itself says once it is imported. */
  readonly version?: string | undefined;
  /** Of the driver interface, found in the same way. */
  readonly specVersion?: unknown;
  /** `allowed`: a driver of the project that may run, and was not imported to list it. */
  readonly status: "ready" | "allowed" | "not allowed" | "not installed" | "planned" | "unusable";
  readonly capabilities: readonly string[];
  readonly options: readonly OptionSpec[];
  /** Why it can't be used. */
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string | undefined };
}

/** Describes a driver; one from outside is imported only with `check`, and only when it may run. */
export async function describeDriver(registry: Registry, entry: DriverEntry, { check }: { readonly check: boolean }): Promise<DriverFacts> {
  const { name, origin, schemes, foundBy, version, specVersion } = entry;
  const facts = { name, package: origin, schemes, foundBy, version, specVersion };
  try {
    const consent = checkOutsideDriver(entry);
    await consent;
    if (consent !== undefined && !check) return { ...facts, status: "allowed", capabilities: [], options: [] };
    const driver = await registry.load(entry);
    const { capabilities, options } = driver;
    return { ...facts, version: version ?? driver.version, specVersion: specVersion ?? driver.specVersion, status: "ready", capabilities, options };
  } catch (error) {
    if (!RunnerError.is(error)) throw error;
    const { code, message, hint } = error;
    return { ...facts, status: statusOf(entry, error), capabilities: [], options: [], error: { code, message, ...(hint === undefined ? {} : { hint }) } };
  }
}

function statusOf(entry: DriverEntry, { code }: RunnerError): DriverFacts["status"] {
  if (isPlanned(entry)) return "planned";
  if (code === "DRIVER_NOT_INSTALLED") return "not installed";
  return code === "PERMISSION_DENIED" ? "not allowed" : "unusable";
}
