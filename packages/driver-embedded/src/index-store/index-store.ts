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
}

interface Line {
  readonly key: string;
  readonly exec?: { readonly exitCode: number; readonly stdout: StoredContent; readonly stderr: StoredContent; readonly combined: StoredContent } | undefined;
  /** `null` takes back what an earlier line said. */
  readonly snapshot?: Snapshot | null | undefined;
}

type StoredContent = { readonly digest: string; readonly size: number; readonly base64?: string | undefined };

/** Opens the journal at `file`: one JSON object a line, appended, compacted here when most of it is out of date. */
export async function openIndex(file: string): Promise<IndexStore> {
  const execs = new Map<string, ExecRecord>();
  const snapshots = new Map<string, Snapshot>();
  let lines = 0;
  for (const text of (await readFile(file, "utf8").catch(() => "")).split("\n")) {
    const line = parseLine(text);
    if (line === undefined) continue;
    lines++;
    if (line.exec !== undefined) execs.set(line.key, restoreRecord(line.exec));
    if (line.snapshot === null) snapshots.delete(line.key);
    else if (line.snapshot !== undefined) snapshots.set(line.key, line.snapshot);
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
    snapshot: (key) => snapshots.get(key),
    async setSnapshot(key, snapshot) {
      if (snapshot === undefined) snapshots.delete(key);
      else snapshots.set(key, snapshot);
      await append({ key, snapshot: snapshot ?? null });
    },
  };
}

async function compact(file: string, execs: ReadonlyMap<string, ExecRecord>, snapshots: ReadonlyMap<string, Snapshot>): Promise<void> {
  const keys = new Set([...execs.keys(), ...snapshots.keys()]);
  const lines = [...keys].map((key) => {
    const record = execs.get(key);
    return JSON.stringify({ key, exec: record === undefined ? undefined : storeRecord(record), snapshot: snapshots.get(key) } satisfies Line);
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
