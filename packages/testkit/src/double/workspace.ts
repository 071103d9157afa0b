import { posix } from "node:path";

import type { AttachedClient } from "./attached-client.ts";

/**
 * What the engine looks at on the client's disk before it executes a client's first query (engine protocol 4.4, recorded in every
 * session): the absolute path of `.`, then upwards for `.git`, then for `dagger.json`. A missing path must be NOT_FOUND; any
 * other failure fails every query of the client.
 */
export async function detectWorkspace(calls: AttachedClient): Promise<void> {
  try {
    const start = await calls.absolutePath(".");
    await findUpwards(calls, start, ".git");
    await findUpwards(calls, start, "dagger.json");
  } catch (error) {
    throw new Error(`loading workspace: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}

async function findUpwards(calls: AttachedClient, start: string, name: string): Promise<void> {
  for (let directory = start; ; directory = posix.dirname(directory)) {
    if ((await calls.stat(posix.join(directory, name))) !== undefined || directory === "/") return;
  }
}
