import { formatRunnerUrl, readOptions, RunnerError, type OptionSpec, type RunnerTarget, type RunnerUrl } from "@anyrunner/core/driver";

/** What `echo://NAME?room=…` means. */
export interface EchoTarget extends RunnerTarget {
  readonly name: string;
  readonly room: string;
}

/** Every parameter that may stand behind the `?`: checked, completed and documented from this table. */
export const ECHO_OPTIONS = [{ name: "room", type: "string", default: "main", help: "where the runner is" }] as const satisfies readonly OptionSpec[];

/**
 * Says what a URL means, and asks nothing: no I/O. A URL is shown through `formatRunnerUrl` only, which hides passwords.
 * Fails with INVALID_URL, or INVALID_OPTION (by `readOptions`).
 */
export function parseEchoTarget(url: RunnerUrl): EchoTarget {
  const { room } = readOptions(url, ECHO_OPTIONS);
  if (!/^[a-z][a-z0-9-]*$/.test(url.body)) {
    throw new RunnerError("INVALID_URL", `${formatRunnerUrl(url)} names no runner`, { hint: "write echo://NAME", driver: "echo" });
  }
  return { driver: "echo", url: formatRunnerUrl(url), name: url.body, room };
}
