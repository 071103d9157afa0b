import { createHash } from "node:crypto";

/** One entry of an immutable file tree. Names live in the parent's map; the root has none. */
export type TreeNode = FileNode | FolderNode | LinkNode | SpecialNode;

export interface Attributes {
  /** Permission, setuid, setgid and sticky bits, as in POSIX (`0o7777`). */
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds since 1970. Takes no part in digests. */
  readonly modTimeNs: bigint;
}

export interface FileNode extends Attributes {
  readonly kind: "file";
  readonly content: Content;
}

export interface FolderNode extends Attributes {
  readonly kind: "folder";
  readonly entries: ReadonlyMap<string, TreeNode>;
}

export interface LinkNode extends Attributes {
  readonly kind: "link";
  readonly target: string;
}

/** A pipe or a device: kept when it travels, without contents. */
export interface SpecialNode extends Attributes {
  readonly kind: "fifo" | "char" | "block";
  readonly major: number;
  readonly minor: number;
}

/** The bytes of a file, by digest; small ones are at hand, the others lie in the blob store. */
export interface Content {
  /** `sha256:…` */
  readonly digest: string;
  readonly size: number;
  readonly bytes?: Uint8Array | undefined;
}

export const EMPTY_FOLDER: FolderNode = { kind: "folder", mode: 0o755, uid: 0, gid: 0, modTimeNs: 0n, entries: new Map() };

export function makeFolder(entries: ReadonlyMap<string, TreeNode>, attributes: Attributes = EMPTY_FOLDER): FolderNode {
  return { kind: "folder", mode: attributes.mode, uid: attributes.uid, gid: attributes.gid, modTimeNs: attributes.modTimeNs, entries };
}

export function makeFile(content: Content, attributes: Partial<Attributes> = {}): FileNode {
  return {
    kind: "file",
    mode: attributes.mode ?? 0o644,
    uid: attributes.uid ?? 0,
    gid: attributes.gid ?? 0,
    modTimeNs: attributes.modTimeNs ?? nowNs(),
    content,
  };
}

export function bytesContent(bytes: Uint8Array): Content {
  return { digest: sha256(bytes), size: bytes.byteLength, bytes };
}

export function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

export function sha256(data: string | Uint8Array): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** The entries of a folder in the byte order of their names, which is the order of the engine and of fsutil. */
export function sortedEntries(folder: FolderNode): readonly (readonly [string, TreeNode])[] {
  const known = sortedCache.get(folder);
  if (known !== undefined) return known;
  const sorted = [...folder.entries].toSorted(([a], [b]) => compareNames(a, b));
  sortedCache.set(folder, sorted);
  return sorted;
}

const sortedCache = new WeakMap<FolderNode, readonly (readonly [string, TreeNode])[]>();

/** UTF-8 byte order; UTF-16 order differs from it for characters beyond the basic plane only. */
export function compareNames(a: string, b: string): number {
  if (a === b) return 0;
  return SURROGATE.test(a) || SURROGATE.test(b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1;
}

const SURROGATE = /[\ud800-\udfff]/;

/** Digest of names, kinds, modes, owners and contents below and including `node`; times take no part. */
export function treeDigest(node: TreeNode): string {
  const known = digestCache.get(node);
  if (known !== undefined) return known;
  const digest = sha256(describe(node));
  digestCache.set(node, digest);
  return digest;
}

const digestCache = new WeakMap<TreeNode, string>();

function describe(node: TreeNode): string {
  const head = `${node.kind} ${node.mode.toString(8)} ${node.uid}:${node.gid}`;
  switch (node.kind) {
    case "file":
      return `${head} ${node.content.digest}`;
    case "link":
      return `${head} ${JSON.stringify(node.target)}`;
    case "folder":
      return `${head}\n${sortedEntries(node)
        .map(([name, child]) => `${JSON.stringify(name)} ${treeDigest(child)}`)
        .join("\n")}`;
    default:
      return `${head} ${node.major}:${node.minor}`;
  }
}

/** Every node below `folder` in protocol order (a folder before its children), with its path. */
export function* walkNodes(folder: FolderNode, prefix = ""): Generator<readonly [string, TreeNode]> {
  for (const [name, node] of sortedEntries(folder)) {
    const path = prefix === "" ? name : `${prefix}/${name}`;
    yield [path, node];
    if (node.kind === "folder") yield* walkNodes(node, path);
  }
}
