import { makeFolder, treeDigest, type FolderNode, type TreeNode } from "./node.ts";

/** The entries of `upper` that `lower` lacks, or has with other contents, attributes or time; removals do not show. */
export function diffFolders(lower: FolderNode, upper: FolderNode): FolderNode {
  const entries = new Map<string, TreeNode>();
  for (const [name, node] of upper.entries) {
    const before = lower.entries.get(name);
    if (before?.kind !== "folder" || node.kind !== "folder") {
      if (before === undefined || !isSame(before, node)) entries.set(name, node);
      continue;
    }
    const below = diffFolders(before, node);
    if (below.entries.size > 0 || !hasSameAttributes(before, node)) entries.set(name, below);
  }
  return makeFolder(entries, upper);
}

function isSame(a: TreeNode, b: TreeNode): boolean {
  return a === b || (a.modTimeNs === b.modTimeNs && treeDigest(a) === treeDigest(b));
}

function hasSameAttributes(a: FolderNode, b: FolderNode): boolean {
  return a.mode === b.mode && a.uid === b.uid && a.gid === b.gid;
}
