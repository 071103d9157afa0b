import { Readable } from "node:stream";

import type { BlobStore } from "./blob-store.ts";
import { sortedEntries, type FolderNode, type TreeNode } from "./node.ts";

const BLOCK = 512;
const TYPES = { file: "0", link: "2", char: "3", block: "4", folder: "5", fifo: "6" } as const;

export interface TarEntry {
  /** Without a leading slash; folders get their trailing one here. */
  readonly path: string;
  readonly node: TreeNode;
}

/** A tar archive of `entries`, in order, made as it is read. */
export function writeTar(entries: Iterable<TarEntry>, store: BlobStore): Readable {
  return Readable.from(tarChunks(entries, store), { objectMode: false, highWaterMark: 256 * 1024 });
}

/** Every entry below `folder` (not the folder itself), parents first. */
export function* folderEntries(folder: FolderNode, prefix = ""): Generator<TarEntry> {
  for (const [name, node] of sortedEntries(folder)) {
    const path = `${prefix}${name}`;
    yield { path, node };
    if (node.kind === "folder") yield* folderEntries(node, `${path}/`);
  }
}

async function* tarChunks(entries: Iterable<TarEntry>, store: BlobStore): AsyncGenerator<Uint8Array> {
  // Small entries are joined: one chunk an entry would cost more than the copy.
  let pending: Uint8Array[] = [];
  let pendingBytes = 0;
  const add = (chunk: Uint8Array) => {
    pending.push(chunk);
    pendingBytes += chunk.byteLength;
  };
  for (const entry of entries) {
    add(entryHeader(entry));
    if (entry.node.kind === "file") {
      const { content } = entry.node;
      if (content.bytes !== undefined) add(content.bytes);
      else {
        yield Buffer.concat(pending);
        pending = [];
        pendingBytes = 0;
        yield* store.open(content);
      }
      add(Buffer.alloc((BLOCK - (content.size % BLOCK)) % BLOCK));
    }
    if (pendingBytes >= 128 * 1024) {
      yield Buffer.concat(pending);
      pending = [];
      pendingBytes = 0;
    }
  }
  add(Buffer.alloc(2 * BLOCK));
  yield Buffer.concat(pending);
}

function entryHeader({ path, node }: TarEntry): Buffer {
  const name = node.kind === "folder" ? `${path}/` : path;
  const size = node.kind === "file" ? node.content.size : 0;
  const target = node.kind === "link" ? node.target : "";
  const extra: [string, string][] = [];
  if (!fits(name, 100)) extra.push(["path", name]);
  if (!fits(target, 100)) extra.push(["linkpath", target]);
  if (size > 0o77777777777) extra.push(["size", String(size)]);
  if (node.uid > 0o7777777) extra.push(["uid", String(node.uid)]);
  if (node.gid > 0o7777777) extra.push(["gid", String(node.gid)]);
  if (node.modTimeNs % 1_000_000_000n !== 0n || node.modTimeNs < 0n) extra.push(["mtime", paxTime(node.modTimeNs)]);
  const main = header({ name, target, size, node, type: TYPES[node.kind] });
  return extra.length === 0 ? main : Buffer.concat([...paxHeader(name, extra), main]);
}

function paxHeader(name: string, records: readonly (readonly [string, string])[]): Buffer[] {
  const body = Buffer.concat(records.map(([key, value]) => paxRecord(key, value)));
  const node: TreeNode = { kind: "fifo", mode: 0o644, uid: 0, gid: 0, modTimeNs: 0n, major: 0, minor: 0 };
  const head = header({ name: `PaxHeaders/${name.slice(-60)}`, target: "", size: body.length, node, type: "x" });
  return [head, body, Buffer.alloc((BLOCK - (body.length % BLOCK)) % BLOCK)];
}

/** `LENGTH key=value\n`, where the length counts its own digits. */
function paxRecord(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + String(rest).length;
  length = rest + String(length).length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

function header(options: { name: string; target: string; size: number; node: TreeNode; type: string }): Buffer {
  const { name, target, size, node, type } = options;
  const block = Buffer.alloc(BLOCK);
  block.write(cut(name, 100), 0);
  octal(block, node.mode & 0o7777, 100, 8);
  octal(block, Math.min(node.uid, 0o7777777), 108, 8);
  octal(block, Math.min(node.gid, 0o7777777), 116, 8);
  octal(block, Math.min(size, 0o77777777777), 124, 12);
  octal(block, node.modTimeNs < 0n ? 0 : Number(node.modTimeNs / 1_000_000_000n), 136, 12);
  block.write("        ", 148);
  block.write(type, 156);
  block.write(cut(target, 100), 157);
  block.write("ustar\u000000", 257);
  if (node.kind === "char" || node.kind === "block") {
    octal(block, node.major, 329, 8);
    octal(block, node.minor, 337, 8);
  }
  let sum = 0;
  for (const byte of block) sum += byte;
  block.write(`${sum.toString(8).padStart(6, "0")}\u0000 `, 148);
  return block;
}

function octal(block: Buffer, value: number, offset: number, length: number): void {
  block.write(`${value.toString(8).padStart(length - 1, "0")}\u0000`, offset);
}

function fits(text: string, bytes: number): boolean {
  return Buffer.byteLength(text) <= bytes && !/[^\u0020-\u007e]/.test(text);
}

/** The field of a header whose true value is in the PAX record before it. */
function cut(text: string, bytes: number): string {
  const plain = text.replace(/[^\u0020-\u007e]/g, "_");
  return plain.length <= bytes ? plain : plain.slice(0, bytes);
}

function paxTime(ns: bigint): string {
  const sign = ns < 0n ? "-" : "";
  const absolute = ns < 0n ? -ns : ns;
  return `${sign}${absolute / 1_000_000_000n}.${String(absolute % 1_000_000_000n).padStart(9, "0")}`;
}
