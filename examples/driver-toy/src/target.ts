import path from "node:path";

import { formatRunnerUrl, readOptions, RunnerError, type OptionSpec, type RunnerTarget, type RunnerUrl } from "@anyrunner/core/driver";

/** What `toy://NAME?file=PATH` means: the runner NAME of an inventory. */
export interface ToyTarget extends RunnerTarget {
  readonly name: string;
  /** Absolute path of a JSON file that maps names to `host:port`. */
  readonly file: string;
}

/** Every parameter that may stand behind the `?`: checked, completed and documented from this table. */
export const TOY_OPTIONS = [
  { name: "file", type: "string", default: "runners.json", help: "JSON file that maps the names of runners to host:port" },
] as const satisfies readonly OptionSpec[];

/**
 * Says what a URL means, and asks nothing: no I/O. A URL is shown through `formatRunnerUrl` only, which hides passwords.
 * Fails with INVALID_URL, or INVALID_OPTION (by `readOptions`).
 */
export function parseToyTarget(url: RunnerUrl): ToyTarget {
  const { file } = readOptions(url, TOY_OPTIONS);
  if (!/^[a-z][a-z0-9-]*$/.test(url.body)) {
    throw new RunnerError("INVALID_URL", `${formatRunnerUrl(url)} names no runner`, {
      hint: "write toy://NAME, with a name from the inventory",
      driver: "toy",
    });
  }
  return { driver: "toy", url: formatRunnerUrl(url), name: url.body, file: path.resolve(file) };
}
