import { lookUp, pathNames } from "./lookup.ts";
import { EMPTY_FOLDER, makeFolder, nowNs, type FolderNode, type TreeNode } from "./node.ts";
import { PathError } from "./path-error.ts";

/** A new root with `node` at `names`; missing parents are made with `parentMode`, a parent that is no folder is replaced. */
export function setNode(root: FolderNode, names: readonly string[], node: TreeNode, parentMode = 0o755): FolderNode {
  const [name, ...rest] = names;
  if (name === undefined) return node.kind === "folder" ? node : root;
  const entries = new Map(root.entries);
  const child = entries.get(name);
  if (rest.length === 0) entries.set(name, node);
  else {
    const folder = child?.kind === "folder" ? child : { ...EMPTY_FOLDER, mode: parentMode, modTimeNs: nowNs() };
    entries.set(name, setNode(folder, rest, node, parentMode));
  }
  return makeFolder(entries, root);
}

/** A new root without the entry at `names`; the same root when there is none. */
export function removeNode(root: FolderNode, names: readonly string[]): FolderNode {
  const [name, ...rest] = names;
  if (name === undefined) return root;
  const child = root.entries.get(name);
  if (child === undefined) return root;
  const entries = new Map(root.entries);
  if (rest.length === 0) entries.delete(name);
  else {
    if (child.kind !== "folder") return root;
    entries.set(name, removeNode(child, rest));
  }
  return makeFolder(entries, root);
}

/** `source` laid over `target`: files are replaced, folders are joined and take the source's attributes. */
export function mergeFolders(target: FolderNode, source: FolderNode): FolderNode {
  if (target.entries.size === 0) return source;
  const entries = new Map(target.entries);
  for (const [name, node] of source.entries) {
    const there = entries.get(name);
    entries.set(name, node.kind === "folder" && there?.kind === "folder" ? mergeFolders(there, node) : node);
  }
  return makeFolder(entries, source);
}

/** The node and everything below it with other attributes. */
export function mapNodes(node: TreeNode, change: (node: TreeNode) => TreeNode): TreeNode {
  if (node.kind !== "folder") return change(node);
  const entries = new Map([...node.entries].map(([name, child]) => [name, mapNodes(child, change)] as const));
  return change(makeFolder(entries, node));
}

export function chownNode(node: TreeNode, owner: { readonly uid: number; readonly gid: number }): TreeNode {
  return mapNodes(node, (each) => ({ ...each, uid: owner.uid, gid: owner.gid }));
}

/** Where something new goes: parents that are missing are made, links on the way are followed. Fails with `PathError`. */
export function placeFor(root: FolderNode, path: string, operation: string): { readonly names: readonly string[]; readonly node: TreeNode | undefined } {
  if (pathNames(path).length === 0) return { names: [], node: root };
  return lookUp(root, path, { operation, missing: "make" });
}

/** `file` at `path`, or inside the folder that is there already or that the trailing slash asks for. */
export function withFileAt(root: FolderNode, path: string, file: { readonly name: string; readonly node: TreeNode }): FolderNode {
  const place = placeFor(root, path, "open");
  const inside = place.node?.kind === "folder" || path.endsWith("/");
  const names = inside ? [...place.names, file.name] : place.names;
  if (names.length === 0) throw new PathError("open", path, "EISDIR");
  return setNode(root, names, file.node);
}
