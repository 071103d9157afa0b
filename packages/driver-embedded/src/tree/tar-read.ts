import type { Readable } from "node:stream";

import type { Header } from "tar-stream";

import type { BlobStore } from "./blob-store.ts";
import { pathNames } from "./lookup.ts";
import { EMPTY_FOLDER, type Attributes, type FolderNode, type TreeNode } from "./node.ts";

/**
 * Reads an archive into an immutable tree. Names can't leave the tree: absolute ones are taken from its root and `..` is
 * clamped there; nothing is written outside the blob store.
 */
export async function readTar(stream: Readable, store: BlobStore): Promise<FolderNode> {
  // Written in place while it grows; frozen by nobody else seeing it before it is whole.
  let root: FolderNode = EMPTY_FOLDER;
  const { extract } = await import("./tar-extract.ts");
  const unpack = extract();
  stream.on("error", (error) => unpack.destroy(error));
  stream.pipe(unpack);
  const folders = new Map<string, Map<string, TreeNode>>();
  const top = new Map<string, TreeNode>();
  folders.set("", top);
  try {
    for await (const entry of unpack) {
      const names = pathNames(entry.header.name);
      if (names.length === 0) {
        if (entry.header.type === "directory") root = { kind: "folder", ...attributes(entry.header), entries: top };
        entry.resume();
        continue;
      }
      const node = await nodeOf(entry.header, entry as unknown as AsyncIterable<Uint8Array>, store, {
        kind: "folder",
        mode: 0o755,
        uid: 0,
        gid: 0,
        modTimeNs: 0n,
        entries: top,
      });
      if (node !== undefined) place(folders, names, node);
      entry.resume();
    }
  } finally {
    stream.destroy();
  }
  return { ...root, entries: top };
}

function place(folders: Map<string, Map<string, TreeNode>>, names: readonly string[], node: TreeNode): void {
  const parent = entriesOf(folders, names.slice(0, -1));
  const name = names.at(-1) as string;
  const key = names.join("/");
  if (node.kind === "folder") {
    const entries = folders.get(key) ?? new Map<string, TreeNode>();
    folders.set(key, entries);
    parent.set(name, { ...node, entries });
  } else {
    folders.delete(key);
    parent.set(name, node);
  }
}

function entriesOf(folders: Map<string, Map<string, TreeNode>>, names: readonly string[]): Map<string, TreeNode> {
  const key = names.join("/");
  const known = folders.get(key);
  if (known !== undefined) return known;
  place(folders, names, EMPTY_FOLDER);
  return folders.get(key) as Map<string, TreeNode>;
}

async function nodeOf(header: Header, body: AsyncIterable<Uint8Array>, store: BlobStore, root: FolderNode): Promise<TreeNode | undefined> {
  if (header.type === "link") return find(root, pathNames(header.linkname ?? ""));
  if (!TYPES.has(header.type ?? "file")) return undefined;
  const node = nodeWithoutContents(header);
  return node.kind === "file" ? { ...node, content: await store.add(body) } : node;
}

const TYPES: ReadonlySet<string> = new Set(["directory", "file", "contiguous-file", "symlink", "fifo", "character-device", "block-device"]);

/** What an entry's header says; a file has its size alone, a folder no entries. */
export function nodeWithoutContents(header: Header): TreeNode {
  const common = attributes(header);
  const device = { major: header.devmajor ?? 0, minor: header.devminor ?? 0 };
  switch (header.type) {
    case "directory":
      return { kind: "folder", ...common, entries: new Map() };
    case "symlink":
      return { kind: "link", ...common, target: header.linkname ?? "" };
    case "fifo":
      return { kind: "fifo", ...common, ...device };
    case "character-device":
      return { kind: "char", ...common, ...device };
    case "block-device":
      return { kind: "block", ...common, ...device };
    default:
      return { kind: "file", ...common, content: { digest: "", size: header.size ?? 0 } };
  }
}

function find(root: FolderNode, names: readonly string[]): TreeNode | undefined {
  let node: TreeNode | undefined = root;
  for (const name of names) node = node?.kind === "folder" ? node.entries.get(name) : undefined;
  return node;
}

function attributes(header: Header): Attributes {
  const pax = (header.pax ?? {}) as Readonly<Record<string, string>>;
  return {
    mode: (header.mode ?? 0o644) & 0o7777,
    uid: Number(pax["uid"] ?? header.uid ?? 0),
    gid: Number(pax["gid"] ?? header.gid ?? 0),
    modTimeNs: pax["mtime"] === undefined ? BigInt(Math.round((header.mtime?.getTime() ?? 0) / 1000)) * 1_000_000_000n : paxTimeNs(pax["mtime"]),
  };
}

/** Seconds with a fraction, `1700000000.5`, without going through a float. */
function paxTimeNs(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d{1,9}))?/.exec(text);
  if (match === null) return 0n;
  const ns = BigInt(match[2] ?? 0) * 1_000_000_000n + BigInt((match[3] ?? "").padEnd(9, "0") || "0");
  return match[1] === "-" ? -ns : ns;
}
