import { statSync } from "node:fs";

import { RunnerError } from "@anyrunner/core";

export interface StartFailure {
  readonly command: string;
  readonly cwd?: string | undefined;
  /** What the operating system said; its text may hold arguments and is not repeated in the message. */
  readonly cause: unknown;
}

/** Why a program could not be started: NOT_FOUND, PERMISSION_DENIED, or COMMAND_FAILED with the system's code. Arguments never appear. */
export function startError({ command, cwd, cause }: StartFailure): RunnerError {
  const code = systemCode(cause);
  if (cwd !== undefined && (code === "ENOENT" || code === "ENOTDIR") && !isDirectory(cwd)) {
    return new RunnerError("NOT_FOUND", `can't start ${command}: the folder ${cwd} does not exist`, { hint: "check the working directory" });
  }
  if (code === "ENOENT") {
    return new RunnerError("NOT_FOUND", `program "${command}" was not found`, { hint: `install ${command}, or put it on PATH`, details: { program: command } });
  }
  if (code === "EACCES" || code === "EPERM") {
    return new RunnerError("PERMISSION_DENIED", `program "${command}" may not be executed`, {
      hint: `check the file mode of ${command}`,
      details: { program: command },
    });
  }
  return new RunnerError("COMMAND_FAILED", `program "${command}" could not be started${code === undefined ? "" : `: ${code}`}`, {
    details: { program: command },
  });
}

/** The errno name of an error or of what caused it. */
function systemCode(value: unknown): string | undefined {
  for (let error = value, depth = 0; typeof error === "object" && error !== null && depth < 4; depth++) {
    if ("code" in error && typeof error.code === "string") return error.code;
    error = "cause" in error ? error.cause : undefined;
  }
  return undefined;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
