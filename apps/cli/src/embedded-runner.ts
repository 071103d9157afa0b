import { stat } from "node:fs/promises";

import type { CommandContext } from "./command-context.ts";

/** The embedded runner where nothing else is said. It has no name and is listed by nobody. */
export const EMBEDDED = "embedded://";

/** Whether it ever ran for this user: it leaves its folder. */
export async function hasRunEmbedded({ env }: CommandContext): Promise<boolean> {
  const { defaultState } = await import("@anyrunner/driver-embedded");
  return (await stat(defaultState(env)).catch(() => undefined)) !== undefined;
}
