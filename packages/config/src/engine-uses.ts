import { randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

import type { RunnerHandle } from "@anyrunner/core";

import { engineFile, enginesFolder } from "./engine-files.ts";
import { processLives } from "./process-lives.ts";
import type { Environment } from "./user-folders.ts";
import { writeFileAtomically } from "./write-file-atomically.ts";

/** An engine that this user's sessions have used, and how it is used now. */
export interface EngineUse {
  readonly handle: RunnerHandle;
  /** When a session of this user last used it, in ms since 1970. */
  readonly usedAt: number;
  /** Sessions of this user that live. */
  readonly sessions: number;
}

/** That a session lives; renewed by itself until it is released. */
export interface EngineLease {
  release(): Promise<void>;
}

/**
 * Which engines the user's sessions use, and when they last did: what says that an engine is idle, as far as this user goes. Every
 * engine has a file whose time is that of its last use, and a file beside it for every session.
 */
export interface EngineUses {
  readonly folder: string;
  /** Notes a session on the engine. Never fails: what can't be written is only unknown later. */
  lease(handle: RunnerHandle): Promise<EngineLease>;
  /** Notes that the engine was used just now. */
  touch(handle: RunnerHandle): Promise<void>;
  list(): Promise<readonly EngineUse[]>;
  /** When the engines of a driver were last used, by their ids. */
  lastUses(driver: string): Promise<ReadonlyMap<string, number>>;
  /** Forgets the engine, also when it started. */
  forget(handle: Pick<RunnerHandle, "driver" | "id">): Promise<void>;
}

export interface EngineUsesOptions {
  readonly env: Environment;
  /** In ms since 1970. Default: the clock of this machine. */
  readonly now?: (() => number) | undefined;
}

const RENEW_MS = 30_000;
/** A session that has not renewed its lease for so long is dead, or its machine sleeps. */
export const LEASE_MS = 120_000;

/** `anyrunner/engines/` below `$XDG_STATE_HOME` or `~/.local/state`. Opening touches no disk. */
export function openEngineUses({ env, now = Date.now }: EngineUsesOptions): EngineUses {
  const folder = enginesFolder(env);

  async function touch(handle: RunnerHandle): Promise<void> {
    const file = engineFile(env, handle, "engine");
    const time = new Date(now());
    const text = `${JSON.stringify(handle)}\n`;
    try {
      if ((await readFile(file, "utf8").catch(() => "")) !== text) await writeFileAtomically(file, text);
      await utimes(file, time, time);
    } catch {
      // Only the memory of the last use is missing.
    }
  }

  async function list(): Promise<readonly EngineUse[]> {
    const names = await readdir(folder).catch(() => []);
    const uses = await Promise.all(names.filter((name) => name.endsWith(".engine")).map((name) => readUse(folder, name, names, now())));
    return uses.filter((use) => use !== undefined);
  }

  return {
    folder,
    touch,
    async lease(handle) {
      const file = `${engineFile(env, handle, "engine")}.${process.pid}.${randomUUID().slice(0, 8)}.lease`;
      await touch(handle);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        await writeFile(file, `${process.pid}\n`, { mode: 0o600 });
      } catch {
        return { release: async () => {} };
      }
      const renew = setInterval(() => {
        const time = new Date(now());
        utimes(file, time, time).catch(() => {});
      }, RENEW_MS).unref();
      return {
        async release() {
          clearInterval(renew);
          await Promise.all([touch(handle), rm(file, { force: true }).catch(() => {})]);
        },
      };
    },
    list,
    async lastUses(driver) {
      return new Map((await list()).filter(({ handle }) => handle.driver === driver).map(({ handle, usedAt }) => [handle.id, usedAt]));
    },
    async forget(handle) {
      await Promise.all((["engine", "start"] as const).map((kind) => rm(engineFile(env, handle, kind), { force: true })));
    },
  };
}

async function readUse(folder: string, name: string, names: readonly string[], now: number): Promise<EngineUse | undefined> {
  try {
    const file = join(folder, name);
    const [text, { mtimeMs }] = await Promise.all([readFile(file, "utf8"), stat(file)]);
    const handle = JSON.parse(text) as RunnerHandle;
    const leases = await Promise.all(names.filter((other) => other.startsWith(`${name}.`)).map((other) => readLease(join(folder, other), now)));
    const renewed = leases.map((lease) => lease.renewedAt);
    return { handle, usedAt: Math.max(mtimeMs, ...renewed), sessions: leases.filter(({ isLive }) => isLive).length };
  } catch {
    return undefined;
  }
}

/** One whose process is gone, or that was not renewed, is removed; a number that another program has by now does not keep it. */
async function readLease(file: string, now: number): Promise<{ readonly renewedAt: number; readonly isLive: boolean }> {
  try {
    const { mtimeMs } = await stat(file);
    const isLive = now - mtimeMs < LEASE_MS && processLives(Number((await readFile(file, "utf8")).trim()));
    if (!isLive) await rm(file, { force: true });
    return { renewedAt: mtimeMs, isLive };
  } catch {
    return { renewedAt: 0, isLive: false };
  }
}
