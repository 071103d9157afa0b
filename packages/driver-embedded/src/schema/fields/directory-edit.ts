import { compilePatterns } from "@anyrunner/filesync";

import { shared } from "../../plan/shared.ts";
import { diffFolders } from "../../tree/diff.ts";
import { chownNode, mapNodes, mergeFolders, placeFor, removeNode, setNode, withFileAt } from "../../tree/edit.ts";
import { filterFolder } from "../../tree/filter.ts";
import { lookUp, pathNames } from "../../tree/lookup.ts";
import { bytesContent, EMPTY_FOLDER, makeFile, nowNs, walkNodes, type FolderNode, type TreeNode } from "../../tree/node.ts";
import { PathError } from "../../tree/path-error.ts";
import type { Fields } from "../resolver.ts";
import { changedDirectory, folderOf, type DirectoryData } from "../../values/directory-data.ts";
import { resolveOwner, type Owner } from "../../values/owner.ts";
import type { Call } from "../../plan/call.ts";
import { objectArgument } from "../object-argument.ts";
import type { Selection } from "./container-files.ts";

interface At {
  readonly path: string;
  readonly permissions?: number | null;
}

/** What makes another directory of a directory. Nothing is worked out before it is needed. */
export const directoryEditFields: Fields = {
  withNewFile(directory: DirectoryData, { path, contents, permissions }: At & { readonly contents: string }) {
    const content = bytesContent(Buffer.from(contents));
    return change(directory, (folder) => {
      const place = placeFor(folder, path.replace(/\/+$/, ""), "open");
      if (place.node?.kind === "folder") throw new PathError("open", path, "EISDIR");
      // Writing over a file keeps its mode, as opening an existing one does.
      const mode = place.node?.kind === "file" ? place.node.mode : ((permissions ?? 0) || 0o644) & 0o777;
      return setNode(folder, place.names, makeFile(content, { mode }));
    });
  },

  withNewDirectory(directory: DirectoryData, { path, permissions }: At) {
    const mode = (permissions ?? 0o644) & 0o777;
    return change(directory, (folder) => {
      if (leavesTree(path)) throw new Error(`cannot create directory outside parent: ${path}`);
      const place = placeFor(folder, path, "mkdir");
      if (place.node !== undefined && place.node.kind !== "folder") throw new PathError("mkdir", `/${pathNames(path).join("/")}`, "ENOTDIR");
      if (place.node !== undefined) return folder;
      // Parents that are made get the same permissions.
      return setNode(folder, place.names, { ...EMPTY_FOLDER, mode, modTimeNs: nowNs() }, mode);
    });
  },

  withFile(directory: DirectoryData, args: At & { readonly source: string; readonly owner: string }, query) {
    const file = objectArgument("File", args.source, query, { field: "withFile", argument: "source" });
    return change(directory, async (folder, call) => {
      const node = dressed(await file.node(call), args.permissions, await ownerOf(args.owner, call));
      return withFileAt(folder, args.path, { name: file.name, node });
    });
  },

  withFiles(directory: DirectoryData, args: At & { readonly sources: readonly string[] }, query) {
    const files = args.sources.map((source) => objectArgument("File", source, query, { field: "withFiles", argument: "sources" }));
    return change(directory, async (folder, call) => {
      let result = folder;
      for (const file of files)
        result = withFileAt(result, `${args.path}/${file.name}`, { name: file.name, node: dressed(await file.node(call), args.permissions, undefined) });
      return result;
    });
  },

  withDirectory(directory: DirectoryData, args: At & Selection & { readonly source: string; readonly owner: string }, query) {
    const source = objectArgument("Directory", args.source, query, { field: "withDirectory", argument: "source" });
    return change(directory, async (folder, call) => {
      const owner = await ownerOf(args.owner, call);
      const filtered = await filterFolder(await folderOf(source, call), args, query.engine.store);
      const added = dressedTree(filtered, args.permissions, owner) as FolderNode;
      const place = placeFor(folder, args.path, "mkdir");
      const joined = place.node?.kind === "folder" ? mergeFolders(place.node, added) : added;
      return place.names.length === 0 ? joined : setNode(folder, place.names, joined);
    });
  },

  /** What the other directory has that this one lacks or has otherwise; what it lacks does not show. */
  diff(directory: DirectoryData, { other }: { other: string }, query) {
    const upper = objectArgument("Directory", other, query, { field: "diff", argument: "other" });
    return change(directory, async (folder, call) => diffFolders(folder, await folderOf(upper, call)));
  },

  withSymlink(directory: DirectoryData, { target, linkName }: { target: string; linkName: string }) {
    const node: TreeNode = { kind: "link", target, mode: 0o777, uid: 0, gid: 0, modTimeNs: nowNs() };
    return change(directory, (folder) => {
      const place = lookUp(folder, linkName, { follow: false, missing: "make", operation: `symlink ${target}` });
      if (place.node !== undefined) throw new PathError(`symlink ${target}`, linkName, "EEXIST");
      return setNode(folder, place.names, node);
    });
  },

  withTimestamps(directory: DirectoryData, { timestamp }: { timestamp: number }) {
    const modTimeNs = BigInt(timestamp) * 1_000_000_000n;
    return change(directory, (folder) => mapNodes(folder, (node) => ({ ...node, modTimeNs })) as FolderNode);
  },

  chown(directory: DirectoryData, { path, owner }: { path: string; owner: string }) {
    return change(directory, async (folder, call) => {
      const { names, node } = lookUp(folder, path);
      const wanted = await ownerOf(owner, call);
      if (node === undefined) throw new PathError("stat", path, "ENOENT");
      if (wanted === undefined) return folder;
      const changed = chownNode(node, wanted);
      return names.length === 0 ? (changed as FolderNode) : setNode(folder, names, changed);
    });
  },

  withoutFile: (directory: DirectoryData, { path }: At) => change(directory, (folder) => without(folder, [path])),
  withoutFiles: (directory: DirectoryData, { paths }: { paths: readonly string[] }) => change(directory, (folder) => without(folder, paths)),
  withoutDirectory: (directory: DirectoryData, { path }: At) => change(directory, (folder) => without(folder, [path])),
};

function change(directory: DirectoryData, work: (folder: FolderNode, call: Call) => FolderNode | Promise<FolderNode>): DirectoryData {
  return changedDirectory(directory, work, shared);
}

/** Patterns, too: `*.txt`. Whatever matches goes, folders with all that is in them. */
function without(folder: FolderNode, paths: readonly string[]): FolderNode {
  let result = folder;
  for (const path of paths) {
    const names = pathNames(path);
    if (names.length === 0) throw new Error("unlinkat /: device or resource busy");
    if (!/[*?[\\]/.test(path)) {
      result = removeNode(result, names);
      continue;
    }
    const [pattern] = compilePatterns([names.join("/")]).patterns;
    const matching = [...walkNodes(result)].filter(([each]) => pattern?.matches(each));
    for (const [each] of matching) result = removeNode(result, each.split("/"));
  }
  return result;
}

function leavesTree(path: string): boolean {
  let depth = 0;
  for (const name of path.split("/")) {
    if (name === "" || name === ".") continue;
    depth += name === ".." ? -1 : 1;
    if (depth < 0) return true;
  }
  return false;
}

/** A directory has no passwd file: owners are numbers. */
function ownerOf(owner: string, call: Call): Promise<Owner | undefined> {
  return resolveOwner(owner, call, async () => undefined);
}

function dressed<Node extends TreeNode>(node: Node, permissions: number | null | undefined, owner: Owner | undefined): Node {
  return { ...node, ...owner, ...(permissions === undefined || permissions === null ? {} : { mode: permissions & 0o777 }) };
}

function dressedTree(node: TreeNode, permissions: number | null | undefined, owner: Owner | undefined): TreeNode {
  if (owner === undefined && (permissions === undefined || permissions === null)) return node;
  return mapNodes(node, (each) => (each.kind === "link" ? { ...each, ...owner } : dressed(each, permissions, owner)));
}
