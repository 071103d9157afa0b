import { randomUUID } from "node:crypto";
import { mkdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { userFolders, type Environment } from "@anyrunner/config";

/** That this process is the user's one reaper. */
export interface ReaperLock {
  /** Says that it still is; `false` when another one has taken over, as after a long sleep. */
  renew(): Promise<boolean>;
  release(): Promise<void>;
}

/** A reaper says more often than that that it lives, even while an engine takes its ten minutes to stop; one that has not is dead, or its machine slept. */
const STALE_MS = 15 * 60_000;

/** `undefined` when another reaper lives. */
export async function takeReaperLock({ env }: { readonly env: Environment }): Promise<ReaperLock | undefined> {
  const file = lockFile(env);
  const mark = `${process.pid} ${randomUUID()}\n`;
  await mkdir(userFolders({ env }).state, { recursive: true, mode: 0o700 });
  if ((await findReaper({ env })) === undefined) await rm(file, { force: true });
  try {
    await writeFile(file, mark, { flag: "wx", mode: 0o600 });
  } catch {
    return undefined;
  }
  const isOurs = async () => (await readFile(file, "utf8").catch(() => "")) === mark;
  return {
    async renew() {
      if (!(await isOurs())) return false;
      const now = new Date();
      await utimes(file, now, now);
      return true;
    },
    async release() {
      if (await isOurs()) await rm(file, { force: true });
    },
  };
}

/** The process id of the reaper that runs; `undefined`: none does. */
export async function findReaper({ env }: { readonly env: Environment }): Promise<number | undefined> {
  try {
    const file = lockFile(env);
    const [text, { mtimeMs }] = await Promise.all([readFile(file, "utf8"), stat(file)]);
    const pid = Number(text.split(" ", 1)[0]);
    if (Date.now() - mtimeMs > STALE_MS || !(pid > 0)) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch {
    return undefined;
  }
}

function lockFile(env: Environment): string {
  return join(userFolders({ env }).state, "reaper.lock");
}
