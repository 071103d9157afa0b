import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { userFolders, type Environment } from "./user-folders.ts";

export interface EngineStart {
  readonly driver: string;
  readonly id: string;
  /** As the runtime writes it. */
  readonly startedAt: string;
}

/**
 * Remembers when an engine was last seen to have started, and says whether that is news: `changed` for one that was started again
 * by somebody else since, `first` for one that was never seen. What can't be written is only forgotten.
 */
export async function rememberEngineStart(
  { driver, id, startedAt }: EngineStart,
  { env }: { readonly env: Environment },
): Promise<"same" | "changed" | "first"> {
  const file = startFile(driver, id, env);
  const seen = await readFile(file, "utf8").catch(() => undefined);
  if (seen === startedAt) return "same";
  try {
    await mkdir(join(file, ".."), { recursive: true, mode: 0o700 });
    await writeFile(file, startedAt, { mode: 0o600 });
  } catch {
    // Only a warning may come twice.
  }
  return seen === undefined ? "first" : "changed";
}

/** For an engine that is removed. */
export async function forgetEngineStart({ driver, id }: Pick<EngineStart, "driver" | "id">, { env }: { readonly env: Environment }): Promise<void> {
  await rm(startFile(driver, id, env), { force: true }).catch(() => {});
}

function startFile(driver: string, id: string, env: Environment): string {
  return join(userFolders({ env }).state, "engines", `${driver}-${createHash("sha256").update(id).digest("hex").slice(0, 24)}.start`);
}
