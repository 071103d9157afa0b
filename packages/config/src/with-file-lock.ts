import { mkdir, open, readFile, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { RunnerError } from "@anyrunner/core";

import { processLives } from "./process-lives.ts";

const ATTEMPTS = 100;
const PAUSE_MS = 20;

/**
 * Does `work` while no other process does work under the same lock file. A lock whose process has died is taken over.
 * Fails with TIMEOUT when it stays taken for two seconds.
 */
export async function withFileLock<T>(lockFile: string, work: () => Promise<T>): Promise<T> {
  await mkdir(dirname(lockFile), { recursive: true, mode: 0o700 });
  for (let attempt = 0; !(await take(lockFile)); attempt++) {
    if (attempt === ATTEMPTS) {
      throw new RunnerError("TIMEOUT", `another process keeps ${lockFile}`, { hint: "if no anyrunner is running, remove that file" });
    }
    if (await isAbandoned(lockFile)) await rm(lockFile, { force: true });
    else await delay(PAUSE_MS);
  }
  try {
    return await work();
  } finally {
    await rm(lockFile, { force: true });
  }
}

async function take(lockFile: string): Promise<boolean> {
  try {
    const handle = await open(lockFile, "wx", 0o600);
    await handle.writeFile(String(process.pid));
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** A lock without a number may be one that is just being written: it counts as held. */
async function isAbandoned(lockFile: string): Promise<boolean> {
  const text = await readFile(lockFile, "utf8").catch(() => "");
  return /^\d+$/.test(text) && !processLives(Number(text));
}
