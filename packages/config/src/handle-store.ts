import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";

import type { RunnerHandle } from "@anyrunner/core";

import { userFolders, type Environment } from "./user-folders.ts";
import { withFileLock } from "./with-file-lock.ts";
import { writeFileAtomically } from "./write-file-atomically.ts";

/** A runner that was reached before: what another process needs to look after it, even when it doesn't run. */
export interface StoredHandle {
  /** The URL that led to it, with secrets hidden. */
  readonly url: string;
  readonly handle: RunnerHandle;
}

/** Which runners this user has reached, by URL. A memory and no more: the truth is what the drivers say. */
export interface HandleStore {
  readonly file: string;
  /** Empty when there is no file, or none that can be read. */
  read(): Promise<readonly StoredHandle[]>;
  /** Remembers the handle of a URL; writes only what is new. */
  remember(stored: StoredHandle): Promise<void>;
  /** Forgets the runner of that driver and id. */
  forget(handle: Pick<RunnerHandle, "driver" | "id">): Promise<void>;
}

/** As many as are kept, the latest ones. */
const LIMIT = 200;

/** `anyrunner/handles.json` below `$XDG_STATE_HOME` or `~/.local/state`. Opening touches no disk. */
export function openHandleStore({ env }: { readonly env: Environment }): HandleStore {
  const file = join(userFolders({ env }).state, "handles.json");
  const read = async () => parseHandles(await readFile(file, "utf8").catch(() => ""));
  const update = (change: (handles: readonly StoredHandle[]) => readonly StoredHandle[]) =>
    withFileLock(`${file}.lock`, async () => {
      await writeFileAtomically(file, `${JSON.stringify({ handles: change(await read()) }, undefined, 2)}\n`);
    });
  return {
    file,
    read,
    async remember(stored) {
      const known = (await read()).some((other) => other.url === stored.url && isDeepStrictEqual(other.handle, plain(stored.handle)));
      if (!known) await update((handles) => [...handles.filter(({ url }) => url !== stored.url), stored].slice(-LIMIT));
    },
    async forget({ driver, id }) {
      const isMeant = ({ handle }: StoredHandle) => handle.driver === driver && handle.id === id;
      if ((await read()).some(isMeant)) await update((handles) => handles.filter((stored) => !isMeant(stored)));
    },
  };
}

function parseHandles(text: string): readonly StoredHandle[] {
  try {
    const { handles } = JSON.parse(text) as { readonly handles?: unknown };
    return Array.isArray(handles) ? handles.filter(isStoredHandle) : [];
  } catch {
    return [];
  }
}

function isStoredHandle(value: unknown): value is StoredHandle {
  if (typeof value !== "object" || value === null) return false;
  const { url, handle } = value as Partial<StoredHandle>;
  return typeof url === "string" && typeof handle === "object" && handle !== null && typeof handle.driver === "string" && typeof handle.id === "string";
}

/** As it is after a round trip through the file. */
function plain(handle: RunnerHandle): unknown {
  return JSON.parse(JSON.stringify(handle));
}
