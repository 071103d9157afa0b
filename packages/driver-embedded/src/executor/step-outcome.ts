import type { ExecResult } from "./executor.ts";
import type { HolderReply } from "./holder/channel.ts";

/** Reads the holder's reply as the engine would tell it. */
export function stepOutcome(reply: HolderReply, step: { readonly args: readonly string[]; readonly user: string; readonly workingDir: string }): ExecResult {
  switch (reply.kind) {
    case "exited":
      return { exitCode: reply.exitCode };
    case "killed":
      return { exitCode: 128 + reply.signal };
    case "not-started":
      return { exitCode: 1, failure: { kind: "command", message: commandMessage(step.args[0] ?? "", reply.errno) } };
    case "no-user":
      return { exitCode: -1, failure: { kind: "user", message: `get user: ${userMessage(step.user, reply.reason)}` } };
    case "no-workdir":
      return { exitCode: -1, failure: { kind: "workdir", message: `chdir to cwd (${JSON.stringify(step.workingDir)}): ${errnoMessage(reply.errno)}` } };
    case "path-failed":
    case "no-resources":
      return { exitCode: -1, failure: { kind: "resources", message: `start the process: ${errnoMessage(reply.errno)}` } };
  }
}

/** The text of a Linux error number, of those that can happen here. */
export function errnoMessage(errno: number): string {
  const names: Readonly<Record<number, string>> = {
    1: "operation not permitted",
    2: "no such file or directory",
    5: "input/output error",
    7: "argument list too long",
    8: "exec format error",
    11: "resource temporarily unavailable",
    12: "cannot allocate memory",
    13: "permission denied",
    16: "device or resource busy",
    20: "not a directory",
    21: "is a directory",
    22: "invalid argument",
    24: "too many open files",
    26: "text file busy",
    28: "no space left on device",
    30: "read-only file system",
    36: "file name too long",
    39: "directory not empty",
    40: "too many levels of symbolic links",
  };
  return names[errno] ?? `errno ${errno}`;
}

function commandMessage(command: string, errno: number): string {
  if (command.includes("/")) return `fork/exec ${command}: ${errnoMessage(errno)}`;
  const name = JSON.stringify(command);
  if (errno === 2) return `exec: ${name}: executable file not found in $PATH`;
  return `exec: ${name}: ${errnoMessage(errno)}`;
}

function userMessage(user: string, missing: string): string {
  const [name = ""] = user.split(":");
  switch (missing) {
    case "passwd file":
      return `unable to find user ${name}: invalid argument`;
    case "user":
      return `unable to find user ${name}: no matching entries in passwd file`;
    case "group file":
      return `unable to find groups for spec ${name}: invalid argument`;
    default:
      return "no matching entries in group file";
  }
}
