/** What the API says about a command that the runtime would not start. */
export type Refusal =
  /** The command's own fault: exit code 1 with a reason on standard error. */
  | { readonly kind: "command"; readonly stderr: string }
  /** The container can't run it at all: exit code -1. */
  | { readonly kind: "setup"; readonly message: string };

/** Puts the words of runc and crun into those of the engine (recorded from 0.21.8). */
export function explainRefusal(reason: string): Refusal {
  const text = reason.replace(/: unknown\s*$/, "").trim();
  const user = /unable to find (?:user|group|groups) .*/.exec(text);
  if (user !== null) return { kind: "setup", message: `get user: ${user[0]}` };
  const missing = /exec:? "?([^":]+)"?: executable file not found in \$PATH/i.exec(text);
  if (missing !== null) return { kind: "command", stderr: `exec: "${missing[1]}": executable file not found in $PATH` };
  for (const words of ["no such file or directory", "permission denied", "exec format error", "is a directory"]) {
    const path = new RegExp(`"?(/[^":]*|\\.[^":]*)"?: (?:[a-z]+ [^:]*: )?${words}`, "i").exec(text)?.[1];
    if (path !== undefined) return { kind: "command", stderr: `fork/exec ${path}: ${words === "is a directory" ? "permission denied" : words}` };
  }
  return { kind: "command", stderr: text };
}
