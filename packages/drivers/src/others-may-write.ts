import { lstat, readdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import { RunnerError } from "@anyrunner/core";

const OTHERS_WRITE = 0o002;
const GROUP_WRITES = 0o020;
const STICKY = 0o1000;

export interface WhatOthersMayWrite {
  /** It may load what lies beside it, as Python does: a sticky bit doesn't excuse its own folder. Default false. */
  readonly loadsBeside?: boolean;
}

/**
 * Fails with PERMISSION_DENIED when somebody but this user and root could change `path`, a file or a folder with all that is in it, or
 * put something else in its place: by the modes and owners of itself, its content and every folder above. Group rights count, but
 * for a group that is the user's own. On Windows nothing is checked.
 */
export async function refuseWhatOthersMayWrite(path: string, what: string, { loadsBeside = false }: WhatOthersMayWrite = {}): Promise<void> {
  if (process.platform === "win32") return;
  const beside = loadsBeside ? await writable(dirname(path), false) : undefined;
  const found = beside ?? (await writableAbove(path)) ?? (await writableBelow(path));
  if (found === undefined) return;
  throw new RunnerError("PERMISSION_DENIED", `${what} is not used, because others may write to ${found.path} (${found.reason})`, {
    hint: found.isForeign ? `use one that is yours or root's` : `take the right away: chmod go-w ${found.path}`,
    details: { path: found.path },
  });
}

/**
 * The same for a program, `path`, and what that leads to, `realPath`: a link lies somewhere else, and whoever may write there can let it
 * lead elsewhere.
 */
export async function refuseProgramOfOthers(realPath: string, path: string): Promise<void> {
  await refuseWhatOthersMayWrite(realPath, `the driver ${path}`, { loadsBeside: true });
  if (path !== realPath) await refuseWhatOthersMayWrite(path, `the driver ${path}`);
}

interface Writable {
  readonly path: string;
  readonly reason: string;
  readonly isForeign: boolean;
}

async function writableAbove(path: string): Promise<Writable | undefined> {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    const found = await writable(folder, true);
    if (found !== undefined) return found;
    if (folder === dirname(folder)) return undefined;
  }
}

async function writableBelow(path: string): Promise<Writable | undefined> {
  const found = await writable(path, false);
  if (found !== undefined) return found;
  if (!(await lstat(path)).isDirectory()) return undefined;
  for (const name of await readdir(path)) {
    const below = await writableBelow(join(path, name));
    if (below !== undefined) return below;
  }
  return undefined;
}

/** In a folder that lies above, others may make files of their own where the sticky bit keeps them from touching ours. */
async function writable(path: string, isAbove: boolean): Promise<Writable | undefined> {
  const { mode, uid, gid } = await lstat(path);
  const own = process.getuid?.() ?? uid;
  if ((mode & 0o170000) === 0o120000) return undefined;
  if (uid !== own && uid !== 0) return { path, reason: `it belongs to user ${uid}`, isForeign: true };
  if (isAbove && (mode & STICKY) !== 0) return undefined;
  const rights = `mode ${(mode & 0o7777).toString(8)}`;
  if ((mode & OTHERS_WRITE) !== 0) return { path, reason: rights, isForeign: false };
  const isOwnGroup = gid === process.getgid?.() && gid === own;
  return (mode & GROUP_WRITES) !== 0 && !isOwnGroup ? { path, reason: rights, isForeign: false } : undefined;
}
