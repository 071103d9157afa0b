import { RunnerError } from "@anyrunner/core";

import { installCommand, projectInstallCommand, type FindProjectOptions } from "./package-manager.ts";

export interface ImportDriverOptions extends FindProjectOptions {
  /** The package or file that holds the driver. */
  readonly package: string;
  readonly load: () => Promise<unknown>;
  /** The name by which `anyrunner drivers add` knows it. Default: none, and a project's package manager installs it. */
  readonly addable?: string | undefined;
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
      hint: loadingHint(error),
      cause: error,
    });
  }
}

/** With a `place`: the project itself names the package, so it is looked for in the project only. */
export function notInstalled(
  packageName: string,
  options: FindProjectOptions & { readonly place?: string | undefined; readonly addable?: string | undefined },
): RunnerError {
  const { place, addable } = options;
  if (addable !== undefined) {
    const install = `anyrunner drivers add ${addable}`;
    return new RunnerError("DRIVER_NOT_INSTALLED", `the driver package ${packageName} is not installed`, {
      hint: `run: ${install} (or, for one project: ${projectInstallCommand(packageName, options)})`,
      details: { package: packageName, install },
    });
  }
  const install = place === undefined ? installCommand(packageName, options) : projectInstallCommand(packageName, options);
  const message = place === undefined ? `the driver package ${packageName} is not installed` : `${place} names ${packageName}, which is not installed`;
  return new RunnerError("DRIVER_NOT_INSTALLED", message, { hint: `run: ${install}`, details: { package: packageName, install } });
}

/** What the reader, who may well be the author, can do about it. */
function loadingHint(error: unknown): string {
  switch (codeOf(error)) {
    case "ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING":
      return "Node runs no TypeScript below node_modules: publish JavaScript, and let the package's exports point to the built files";
    case "ERR_INVALID_TYPESCRIPT_SYNTAX":
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return "Node only erases types: set erasableSyntaxOnly in the driver's tsconfig.json and mend what it reports (no enum, no parameter property, no namespace)";
    case "ERR_UNKNOWN_FILE_EXTENSION":
      return "let the package's exports point to a file that Node can run: built JavaScript";
    case "ERR_MODULE_NOT_FOUND":
    case "MODULE_NOT_FOUND":
      return "install the dependencies of the driver; an import of TypeScript needs the ending .ts; ANYRUNNER_DEBUG=1 shows where it is imported";
    default:
      return "the code of the driver failed while it was imported: ANYRUNNER_DEBUG=1 shows where; tell its author";
  }
}

/** The bare name that Node could not resolve; `undefined` when a file was missing, or something else went wrong. */
function missingPackage(error: unknown): string | undefined {
  if (!(error instanceof Error) || codeOf(error) !== "ERR_MODULE_NOT_FOUND") return undefined;
  return /^Cannot find package '([^']+)' imported from /.exec(error.message)?.[1];
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";
}
