import type { FolderNode, TreeNode } from "./node.ts";
import { PathError } from "./path-error.ts";

export interface Lookup {
  /** The names from the root to the entry, links resolved. */
  readonly names: readonly string[];
  /** Absent when only the last name does not exist. */
  readonly node: TreeNode | undefined;
}

export interface LookupOptions {
  /** Follow the last name when it is a link. Default true. */
  readonly follow?: boolean | undefined;
  /** For the error. Default `stat`. */
  readonly operation?: string | undefined;
  /** What a missing name on the way is: an error, or a folder that will be made. Default `error`. */
  readonly missing?: "error" | "make" | undefined;
}

const MAX_LINKS = 255;

/** Splits a path; `.` and empty names vanish, `..` is clamped at the root. */
export function pathNames(path: string): string[] {
  const names: string[] = [];
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    if (name === "..") names.pop();
    else names.push(name);
  }
  return names;
}

/** Finds `path` below `root`; links are followed inside the tree and can't leave it. Fails with `PathError`. */
export function lookUp(root: FolderNode, path: string, options: LookupOptions = {}): Lookup {
  const operation = options.operation ?? "stat";
  // Unlike pathNames, ".." is applied after links are resolved, as a file system does.
  const pending = path
    .split("/")
    .filter((name) => name !== "" && name !== ".")
    .toReversed();
  const names: string[] = [];
  const nodes: TreeNode[] = [root];
  let links = 0;
  let made = false;
  while (pending.length > 0) {
    const name = pending.pop() as string;
    if (name === "..") {
      if (names.length > 0) {
        names.pop();
        nodes.pop();
      }
      continue;
    }
    const folder = nodes.at(-1);
    if (made) {
      names.push(name);
      continue;
    }
    if (folder?.kind !== "folder") throw new PathError(operation, path, "ENOTDIR");
    const node = folder.entries.get(name);
    if (node === undefined) {
      if (pending.length > 0 && options.missing !== "make") throw new PathError(operation, path, "ENOENT");
      if (pending.length === 0) return { names: [...names, name], node: undefined };
      made = true;
      names.push(name);
      continue;
    }
    const last = pending.length === 0;
    if (node.kind === "link" && (!last || options.follow !== false)) {
      if (++links > MAX_LINKS) throw new PathError(operation, path, "ELOOP");
      if (node.target.startsWith("/")) {
        names.length = 0;
        nodes.length = 1;
      }
      pending.push(
        ...node.target
          .split("/")
          .filter((part) => part !== "" && part !== ".")
          .toReversed(),
      );
      continue;
    }
    names.push(name);
    nodes.push(node);
  }
  return { names, node: made ? undefined : nodes.at(-1) };
}

/** The entry at `path`. Fails with `PathError` when it is missing. */
export function findNode(root: FolderNode, path: string, options: LookupOptions = {}): TreeNode {
  const { node } = lookUp(root, path, options);
  if (node === undefined) throw new PathError(options.operation ?? "stat", path, "ENOENT");
  return node;
}
