import { spawn } from "node:child_process";
import { mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";

/** Which program, which outlives this process. */
export interface StartDetachedOptions {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Gets standard output and error, behind what is there. */
  readonly logFile: string;
}

/**
 * Starts a program that outlives this process: a session of its own, no terminal, no pipe to us. Gives its process id; `undefined`
 * when it can't be started.
 */
export async function startDetached({ command, args, env, cwd, logFile }: StartDetachedOptions): Promise<number | undefined> {
  await mkdir(dirname(logFile), { recursive: true, mode: 0o700 });
  const log = await open(logFile, "a", 0o600);
  try {
    const child = spawn(command, [...args], { env: { ...env }, cwd, detached: true, stdio: ["ignore", log.fd, log.fd], windowsHide: true });
    child.once("error", () => {});
    child.unref();
    return child.pid;
  } finally {
    await log.close();
  }
}
