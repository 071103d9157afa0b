import { createHash } from "node:crypto";
import { join } from "node:path";

import type { RunnerHandle } from "@anyrunner/core";

import { userFolders, type Environment } from "./user-folders.ts";

/** Where this user's notes of engines lie, a few files for each. */
export function enginesFolder(env: Environment): string {
  return join(userFolders({ env }).state, "engines");
}

/** The name of the file in which a kind of note of an engine lies. */
export function engineFile(env: Environment, { driver, id }: Pick<RunnerHandle, "driver" | "id">, kind: "engine" | "start"): string {
  return join(enginesFolder(env), `${driver}-${createHash("sha256").update(id).digest("hex").slice(0, 24)}.${kind}`);
}
