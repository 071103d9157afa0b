import { inspect } from "node:util";

import type { DriverCapability, RunnerDriver } from "./driver.ts";
import { RunnerError } from "./runner-error.ts";

const MEMBERS: Readonly<Record<DriverCapability, readonly string[]>> = {
  provision: [],
  "half-close": [],
  inspect: ["inspect"],
  logs: ["logs"],
  lifecycle: ["start", "stop", "destroy"],
  list: ["list"],
};

/**
 * Checks what a package gave before anything of it is called. `where` names the package or file for the message.
 * Fails with SPEC_MISMATCH for another interface version, DRIVER_INVALID for anything else that is off.
 */
export function checkDriver(value: unknown, where: string): RunnerDriver {
  const invalid = (what: string) =>
    new RunnerError("DRIVER_INVALID", `${where} gives no usable driver: ${what}`, {
      hint: "tell the author of the driver; the interface is RunnerDriver of @anyrunner/core",
    });
  if (typeof value !== "object" || value === null) throw invalid('its export "driver" is no object');
  const driver = value as Record<string, unknown>;
  if (driver["specVersion"] === undefined) throw invalid('it exports no "driver" with a specVersion');
  if (driver["specVersion"] !== 1) {
    throw new RunnerError("SPEC_MISMATCH", `${where} has specVersion ${inspect(driver["specVersion"])}; this anyrunner knows version 1`, {
      hint: "update the driver, or anyrunner",
    });
  }
  if (driver["version"] !== undefined && typeof driver["version"] !== "string") throw invalid("its version is no text");
  if (typeof driver["name"] !== "string" || !/^[a-z][a-z0-9-]*$/.test(driver["name"])) throw invalid("its name is no lower-case word");
  if (!isList(driver["schemes"], (item) => typeof item === "string" && /^[a-z][a-z0-9.+-]*$/.test(item)) || driver["schemes"].length === 0) {
    throw invalid("its schemes are no list of lower-case schemes");
  }
  if (!isList(driver["capabilities"], (item) => typeof item === "string" && Object.hasOwn(MEMBERS, item))) throw invalid("it declares an unknown capability");
  if (!isList(driver["options"], isOptionSpec)) throw invalid("its options are no list of { name, type, help }");
  for (const member of ["parse", "probe", "provision", "connect"]) {
    if (typeof driver[member] !== "function") throw invalid(`${member} is no function`);
  }
  for (const [capability, members] of Object.entries(MEMBERS)) {
    const declared = (driver["capabilities"] as readonly unknown[]).includes(capability);
    for (const member of members) {
      if (declared !== (typeof driver[member] === "function")) {
        throw invalid(declared ? `it declares "${capability}" but has no ${member}` : `it has ${member} but doesn't declare "${capability}"`);
      }
    }
  }
  return value as RunnerDriver;
}

function isList(value: unknown, check: (item: unknown) => boolean): value is readonly unknown[] {
  return Array.isArray(value) && value.every(check);
}

function isOptionSpec(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  const { name, type, help } = value as Record<string, unknown>;
  return typeof name === "string" && typeof help === "string" && ["string", "boolean", "integer"].includes(type as string);
}
