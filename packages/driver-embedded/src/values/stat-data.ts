import type { TreeNode } from "../tree/node.ts";

/** What a Stat of the API is. */
export interface StatData {
  readonly name: string;
  readonly size: number;
  /** Without setuid, setgid and sticky bits. */
  readonly permissions: number;
  readonly fileType: "REGULAR" | "DIRECTORY" | "SYMLINK" | "UNKNOWN";
}

export function statOf(node: TreeNode, name: string): StatData {
  return { name, size: sizeOf(node), permissions: node.kind === "link" ? 0o777 : node.mode & 0o777, fileType: TYPES[node.kind] };
}

const TYPES = { file: "REGULAR", folder: "DIRECTORY", link: "SYMLINK", fifo: "UNKNOWN", char: "UNKNOWN", block: "UNKNOWN" } as const;

/** A folder's size depends on the file system; 4096 is what the usual ones say. */
function sizeOf(node: TreeNode): number {
  if (node.kind === "file") return node.content.size;
  return node.kind === "link" ? Buffer.byteLength(node.target) : node.kind === "folder" ? 4096 : 0;
}

/** Whether `node` is what the caller of `exists` expects; links count when they were not followed or were expected. */
export function hasType(node: TreeNode, expected: string | undefined): boolean {
  switch (expected) {
    case "REGULAR_TYPE":
      return node.kind === "file";
    case "DIRECTORY_TYPE":
      return node.kind === "folder";
    case "SYMLINK_TYPE":
      return node.kind === "link";
    default:
      return true;
  }
}
