import { RunnerError } from "@anyrunner/core";

import { installCommand, type FindProjectOptions } from "./package-manager.ts";

export interface ImportDriverOptions extends FindProjectOptions {
  /** The package that holds the driver. */
  readonly package: string;
  readonly load: () => Promise<unknown>;
}

/**
 * Imports a driver. Fails with DRIVER_NOT_INSTALLED, with the exact install command, when the driver's own package is absent;
 * with DRIVER_INVALID for everything else that goes wrong while it loads, a module missing inside the driver included.
 */
export async function importDriver(options: ImportDriverOptions): Promise<unknown> {
  try {
    return await options.load();
  } catch (error) {
    if (RunnerError.is(error)) throw error;
    if (missingPackage(error) === options.package) throw notInstalled(options.package, options);
    throw new RunnerError("DRIVER_INVALID", `${options.package} fails while it loads: ${firstLine(error)}`, {
      hint: "install the project's dependencies again; if that doesn't help, report it to the author of the driver",
      cause: error,
    });
  }
}

export function notInstalled(packageName: string, options: FindProjectOptions): RunnerError {
  return new RunnerError("DRIVER_NOT_INSTALLED", `the driver package ${packageName} is not installed`, {
    hint: `run: ${installCommand(packageName, options)}`,
    details: { package: packageName, install: installCommand(packageName, options) },
  });
}

/** The bare name that Node could not resolve; `undefined` when a file was missing, or something else went wrong. */
function missingPackage(error: unknown): string | undefined {
  if (!(error instanceof Error) || (error as NodeJS.ErrnoException).code !== "ERR_MODULE_NOT_FOUND") return undefined;
  return /^Cannot find package '([^']+)' imported from /.exec(error.message)?.[1];
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
