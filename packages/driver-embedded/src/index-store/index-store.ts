import { appendFile, mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";

import type { Snapshot } from "../executor/executor.ts";
import type { Content } from "../tree/node.ts";

/** What a command that succeeded left behind, apart from its root file system. */
export interface ExecRecord {
  readonly exitCode: number;
  readonly stdout: Content;
  readonly stderr: Content;
  /** Both streams in the order in which they arrived. */
  readonly combined: Content;
}

/** What is known about operations, by key. Kept over restarts; a missing or broken file is an empty index. */
export interface IndexStore {
  exec(key: string): ExecRecord | undefined;
  setExec(key: string, record: ExecRecord): Promise<void>;
  snapshot(key: string): Snapshot | undefined;
  setSnapshot(key: string, snapshot: Snapshot | undefined): Promise<void>;
  /** Notes that the snapshot is of use, so that it is kept. */
  touch(key: string): Promise<void>;
  /** Keys of snapshots that are not worth keeping, least used first. */
  stale(limits: SnapshotLimits): readonly string[];
}

export interface SnapshotLimits {
  /** How many are kept at most. */
  readonly count: number;
  /** How long one that nobody uses is kept, in ms. */
  readonly ageMs: number;
}

interface Line {
  readonly key: string;
  readonly exec?: { readonly exitCode: number; readonly stdout: StoredContent; readonly stderr: StoredContent; readonly combined: StoredContent } | undefined;
  /** `null` takes back what an earlier line said. */
  readonly snapshot?: Snapshot | null | undefined;
  /** When the snapshot was last of use, in ms since 1970. */
  readonly usedMs?: number | undefined;
}

/** A use is written down when the last one is older, so that a busy snapshot costs a line an hour. */
const TOUCH_MS = 60 * 60 * 1000;

type StoredContent = { readonly digest: string; readonly size: number; readonly base64?: string | undefined };

/** Opens the journal at `file`: one JSON object a line, appended, compacted here when most of it is out of date. */
export async function openIndex(file: string, { now = Date.now }: { readonly now?: () => number } = {}): Promise<IndexStore> {
  const execs = new Map<string, ExecRecord>();
  const snapshots = new Map<string, KnownSnapshot>();
  let lines = 0;
  for (const text of (await readFile(file, "utf8").catch(() => "")).split("\n")) {
    const line = parseLine(text);
    if (line === undefined) continue;
    lines++;
    if (line.exec !== undefined) execs.set(line.key, restoreRecord(line.exec));
    if (line.snapshot === null) snapshots.delete(line.key);
    else if (line.snapshot !== undefined) snapshots.set(line.key, { snapshot: line.snapshot, usedMs: line.usedMs ?? now() });
  }
  await mkdir(dirname(file), { recursive: true });
  if (lines > 1000 && lines > 2 * (execs.size + snapshots.size)) await compact(file, execs, snapshots);

  // One writer at a time: a line must not be cut by the next one.
  let tail: Promise<unknown> = Promise.resolve();
  const append = (line: Line) => {
    const written = tail.then(() => appendFile(file, `${JSON.stringify(line)}\n`, { mode: 0o600 }));
    tail = written.catch(() => {});
    return written;
  };

  return {
    exec: (key) => execs.get(key),
    async setExec(key, record) {
      execs.set(key, record);
      await append({ key, exec: storeRecord(record) });
    },
    snapshot: (key) => snapshots.get(key)?.snapshot,
    async setSnapshot(key, snapshot) {
      if (snapshot === undefined) snapshots.delete(key);
      else snapshots.set(key, { snapshot, usedMs: now() });
      await append({ key, snapshot: snapshot ?? null, usedMs: now() });
    },
    async touch(key) {
      const known = snapshots.get(key);
      if (known === undefined || now() - known.usedMs < TOUCH_MS) return;
      snapshots.set(key, { ...known, usedMs: now() });
      await append({ key, snapshot: known.snapshot, usedMs: now() });
    },
    stale({ count, ageMs }) {
      const oldest = [...snapshots].toSorted(([, a], [, b]) => a.usedMs - b.usedMs);
      return oldest.filter(([, { usedMs }], index) => index < oldest.length - count || now() - usedMs > ageMs).map(([key]) => key);
    },
  };
}

interface KnownSnapshot {
  readonly snapshot: Snapshot;
  readonly usedMs: number;
}

async function compact(file: string, execs: ReadonlyMap<string, ExecRecord>, snapshots: ReadonlyMap<string, KnownSnapshot>): Promise<void> {
  const keys = new Set([...execs.keys(), ...snapshots.keys()]);
  const lines = [...keys].map((key) => {
    const record = execs.get(key);
    return JSON.stringify({ key, exec: record === undefined ? undefined : storeRecord(record), ...snapshots.get(key) } satisfies Line);
  });
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, `${lines.join("\n")}\n`, { mode: 0o600 });
  await rename(temporary, file);
}

function parseLine(text: string): Line | undefined {
  if (text === "") return undefined;
  try {
    const line = JSON.parse(text) as Line;
    return typeof line.key === "string" ? line : undefined;
  } catch {
    // A process that was killed while it wrote leaves half a line.
    return undefined;
  }
}

function storeRecord(record: ExecRecord): NonNullable<Line["exec"]> {
  return { exitCode: record.exitCode, stdout: storeContent(record.stdout), stderr: storeContent(record.stderr), combined: storeContent(record.combined) };
}

function storeContent({ digest, size, bytes }: Content): StoredContent {
  return bytes === undefined ? { digest, size } : { digest, size, base64: Buffer.from(bytes).toString("base64") };
}

function restoreRecord(stored: NonNullable<Line["exec"]>): ExecRecord {
  return { exitCode: stored.exitCode, stdout: restoreContent(stored.stdout), stderr: restoreContent(stored.stderr), combined: restoreContent(stored.combined) };
}

function restoreContent({ digest, size, base64 }: StoredContent): Content {
  return base64 === undefined ? { digest, size } : { digest, size, bytes: Buffer.from(base64, "base64") };
}
