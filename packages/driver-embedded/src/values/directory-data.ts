import type { Call, Lazy } from "../plan/call.ts";
import { findNode, pathNames } from "../tree/lookup.ts";
import type { FileNode, FolderNode, TreeNode } from "../tree/node.ts";
import { PathError } from "../tree/path-error.ts";

/** What a Directory of the API is: a folder in a tree. `..` can reach the rest of the tree, nothing outside it. */
export interface DirectoryData {
  readonly root: Lazy<FolderNode>;
  /** Below the root; "" for the root itself. */
  readonly path: string;
  /** Set where the folder was taken from somewhere else; else the last name of the path. */
  readonly name?: string | undefined;
}

/** What a File of the API is. */
export interface FileData {
  readonly node: Lazy<FileNode>;
  readonly name: string;
}

/** The folder itself. Fails with `PathError` when it is missing or no folder. */
export async function folderOf(directory: DirectoryData, call: Call): Promise<FolderNode> {
  return asFolder(findNode(await directory.root(call), directory.path), directory.path);
}

/** `node` when it is a folder. */
export function asFolder(node: TreeNode, path: string): FolderNode {
  if (node.kind !== "folder") throw new Error(`path ${path} is a file, not a directory`);
  return node;
}

/** `node` when it has contents. */
export function asFile(node: TreeNode, path: string): FileNode {
  if (node.kind === "folder") throw new Error(`path ${path} is a directory, not a file`);
  if (node.kind !== "file") throw new PathError("open", path, "ENOENT");
  return node;
}

export function directoryName(directory: DirectoryData): string {
  const name = directory.name ?? pathNames(directory.path).at(-1);
  return name === undefined || name === "" ? "/" : `${name}/`;
}

export function wholeTree(root: Lazy<FolderNode>): DirectoryData {
  return { root, path: "" };
}

/** The same directory with other contents; the surrounding tree is left behind. */
export function changedDirectory(
  directory: DirectoryData,
  change: (folder: FolderNode, call: Call) => FolderNode | Promise<FolderNode>,
  share: (work: Lazy<FolderNode>) => Lazy<FolderNode>,
): DirectoryData {
  return wholeTree(share(async (call) => change(await folderOf(directory, call), call)));
}

export function baseName(path: string): string {
  return pathNames(path).at(-1) ?? "";
}
