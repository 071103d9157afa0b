import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { processLives } from "./process-lives.ts";
import { userFolders, type Environment } from "./user-folders.ts";
import { withFileLock } from "./with-file-lock.ts";
import { writeFileAtomically } from "./write-file-atomically.ts";

/** A bridge that runs: a local address that leads to the engine of a runner. */
export interface StoredBridge {
  /** As official clients name it. */
  readonly address: string;
  /** The runner, with secrets hidden. */
  readonly runner: string;
  readonly pid: number;
}

/** The bridges that this user runs, by the URL of their runner. */
export interface BridgeStore {
  readonly file: string;
  /** The latest bridge to the runner whose process lives. */
  find(runnerUrl: string): Promise<StoredBridge | undefined>;
  /** The bridge with that address, if its process lives. */
  at(address: string): Promise<StoredBridge | undefined>;
  /** Notes a bridge, and forgets those whose process is gone; resolves with what was forgotten. */
  add(runnerUrl: string, bridge: StoredBridge): Promise<readonly StoredBridge[]>;
  /** Forgets the bridge with that address. */
  remove(address: string): Promise<void>;
}

/** A URL may hold a secret, which this file need not know to recognise it. */
type Entry = StoredBridge & { readonly urlSha256: string };

/** `anyrunner/bridges.json` below `$XDG_STATE_HOME` or `~/.local/state`. Opening touches no disk. */
export function openBridgeStore({ env }: { readonly env: Environment }): BridgeStore {
  const file = join(userFolders({ env }).state, "bridges.json");
  const read = async () => parseBridges(await readFile(file, "utf8").catch(() => ""));
  const update = (change: (entries: readonly Entry[]) => readonly Entry[]) =>
    withFileLock(`${file}.lock`, async () => {
      await writeFileAtomically(file, `${JSON.stringify({ bridges: change(await read()) }, undefined, 2)}\n`);
    });
  return {
    file,
    async find(runnerUrl) {
      const urlSha256 = digest(runnerUrl);
      const found = (await read()).findLast((entry) => entry.urlSha256 === urlSha256 && processLives(entry.pid));
      return found === undefined ? undefined : plain(found);
    },
    async at(address) {
      const found = (await read()).findLast((entry) => entry.address === address && processLives(entry.pid));
      return found === undefined ? undefined : plain(found);
    },
    async add(runnerUrl, bridge) {
      let gone: readonly Entry[] = [];
      await update((entries) => {
        gone = entries.filter(({ pid }) => !processLives(pid));
        return [...entries.filter(({ pid, address }) => processLives(pid) && address !== bridge.address), { ...plain(bridge), urlSha256: digest(runnerUrl) }];
      });
      return gone.map(plain);
    },
    remove: (address) => update((entries) => entries.filter((entry) => entry.address !== address)),
  };
}

function parseBridges(text: string): readonly Entry[] {
  try {
    const { bridges } = JSON.parse(text) as { readonly bridges?: unknown };
    return Array.isArray(bridges) ? bridges.filter(isEntry) : [];
  } catch {
    return [];
  }
}

function isEntry(value: unknown): value is Entry {
  if (typeof value !== "object" || value === null) return false;
  const { address, runner, pid, urlSha256 } = value as Partial<Entry>;
  return [address, runner, urlSha256].every((text) => typeof text === "string") && Number.isSafeInteger(pid) && Number(pid) > 0;
}

function plain({ address, runner, pid }: StoredBridge): StoredBridge {
  return { address, runner, pid };
}

function digest(url: string): string {
  return createHash("sha256").update(url.trim()).digest("hex");
}
