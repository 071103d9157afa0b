import { randomBytes, randomUUID } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import type { Reporter } from "@anyrunner/core";

import { userFolders, type Environment } from "./user-folders.ts";

const VALID = /^[a-z0-9]{25}$/;

/**
 * The id under which an engine keeps what it has seen of this user's disk (metadata `client_stable_id`, protocol 4.5):
 * 25 characters of base 36, made once and kept in `anyrunner/stable_client_id` below `$XDG_STATE_HOME` or `~/.local/state`.
 * Where nothing can be kept, the id is new each time and a warning says so: uploads are then slower, not wrong.
 */
export async function stableClientId({ env, report }: { readonly env: Environment; readonly report?: Reporter | undefined }): Promise<string> {
  const file = join(userFolders({ env }).state, "stable_client_id");
  const kept = await readId(file);
  if (kept !== undefined) return kept;
  const id = newId();
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeFile(temporary, id, { flag: "wx", mode: 0o600 });
    // A link fails when the file exists, so of several first processes all take the id of the fastest.
    await link(temporary, file).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code !== "EEXIST" || (await readId(file)) === undefined) await writeFile(file, id, { mode: 0o600 });
    });
    return (await readId(file)) ?? id;
  } catch (error) {
    report?.({
      type: "warning",
      id: "stable-client-id",
      message: `the client id can't be kept in ${file} (${(error as NodeJS.ErrnoException).code ?? "unknown"}), so the engine forgets this machine's files after each session`,
      hint: "set XDG_STATE_HOME to a folder that can be written",
    });
    return id;
  } finally {
    await rm(temporary, { force: true }).catch(() => {});
  }
}

async function readId(file: string): Promise<string | undefined> {
  const text = await readFile(file, "utf8").catch(() => "");
  return VALID.test(text.trim()) ? text.trim() : undefined;
}

function newId(): string {
  return BigInt(`0x${randomBytes(20).toString("hex")}`)
    .toString(36)
    .padStart(25, "0")
    .slice(-25);
}
