import { RunnerError } from "@anyrunner/core";

import { BUILT_IN_DRIVERS, ON_DEMAND_DRIVERS } from "../built-in-drivers.ts";

export interface DriverPackage {
  readonly packageName: string;
  /** A version, a range or a tag. Default: `latest`. */
  readonly version: string;
}

const PACKAGE = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z0-9][a-z0-9._-]*$/;
const VERSION = /^[\w.^~><=*+-]+$/;
const MAX_LENGTH = 214;

/**
 * The package that `text` names: a driver by its own name (`kubernetes`) or its package (`anyrunner-driver-foo`), and a version behind `@`.
 * Nothing else that npm knows, no path, address or alias. Fails with INVALID_OPTION; with ALREADY_EXISTS for a driver that comes with anyrunner.
 */
export function packageOfDriver(text: string): DriverPackage {
  const at = text.indexOf("@", 1);
  const name = at < 0 ? text : text.slice(0, at);
  const version = at < 0 ? "latest" : text.slice(at + 1);
  if (!PACKAGE.test(name) || name.length > MAX_LENGTH || !VERSION.test(version)) {
    throw new RunnerError("INVALID_OPTION", `"${text}" names no driver that can be installed`, {
      hint: "write the name of a driver (kubernetes) or of its package (anyrunner-driver-foo), and if need be a version: foo@1.2.3",
    });
  }
  const builtIn = BUILT_IN_DRIVERS.find((driver) => driver.name === name || driver.package === name);
  if (builtIn !== undefined) {
    throw new RunnerError("ALREADY_EXISTS", `the driver ${builtIn.name} comes with anyrunner`, {
      hint: "there is nothing to install: anyrunner drivers lists it",
    });
  }
  return { packageName: packageNamed(name), version };
}

function packageNamed(name: string): string {
  const known = ON_DEMAND_DRIVERS.find((driver) => driver.name === name);
  if (known !== undefined) return known.package;
  return name.includes("/") || name.startsWith("anyrunner-driver-") ? name : `anyrunner-driver-${name}`;
}
