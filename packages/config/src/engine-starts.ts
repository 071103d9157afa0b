import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import { engineFile } from "./engine-files.ts";
import type { Environment } from "./user-folders.ts";

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
  { startedAt, ...engine }: EngineStart,
  { env }: { readonly env: Environment },
): Promise<"same" | "changed" | "first"> {
  const file = engineFile(env, engine, "start");
  const seen = await readFile(file, "utf8").catch(() => undefined);
  if (seen === startedAt) return "same";
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(file, startedAt, { mode: 0o600 });
  } catch {
    // Only a warning may come twice.
  }
  return seen === undefined ? "first" : "changed";
}
