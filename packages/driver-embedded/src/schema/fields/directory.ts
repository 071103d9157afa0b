import { glob } from "../../tree/glob.ts";
import { filterFolder } from "../../tree/filter.ts";
import { findNode, lookUp, pathNames } from "../../tree/lookup.ts";
import { sortedEntries, treeDigest } from "../../tree/node.ts";
import { PathError } from "../../tree/path-error.ts";
import { shared } from "../../plan/shared.ts";
import { inSpan } from "../../telemetry/span.ts";
import type { Fields } from "../resolver.ts";
import { asFile, baseName, changedDirectory, directoryName, folderOf, type DirectoryData, type FileData } from "../../values/directory-data.ts";
import { hasType, statOf } from "../../values/stat-data.ts";
import type { Selection } from "./container-files.ts";

interface At {
  readonly path: string;
}

/** What looks at a directory without changing it. */
export const directoryFields: Fields = {
  name: (directory: DirectoryData) => directoryName(directory),
  digest: async (directory: DirectoryData, _args, { call }) => treeDigest(await folderOf(directory, call)),

  async entries(directory: DirectoryData, { path }: { path?: string | null }, { call }) {
    const folder = await folderOf(directory, call);
    const node = path === undefined || path === null ? folder : findNode(folder, path, { operation: "open" });
    if (node.kind !== "folder") throw new PathError("open", path ?? "", "ENOTDIR");
    return sortedEntries(node).map(([name, child]) => (child.kind === "folder" ? `${name}/` : name));
  },

  glob: async (directory: DirectoryData, { pattern }: { pattern: string }, { call }) => glob(await folderOf(directory, call), pattern),

  /** The whole tree comes along, so that `..` can leave the folder; what is missing is found out when it is used. */
  directory(directory: DirectoryData, { path }: At): DirectoryData {
    const names = pathNames(`${directory.path}/${path}`);
    return {
      root: directory.root,
      path: directory.path === "" ? path.replace(/(.)\/+$/, "$1") : names.join("/"),
      ...(names.length === 0 && directory.name !== undefined ? { name: directory.name } : {}),
    };
  },

  async file(directory: DirectoryData, { path }: At, { call }): Promise<FileData> {
    const root = await directory.root(call);
    const node = asFile(findNode(root, directory.path === "" ? path : `${directory.path}/${path}`, {}), path);
    return { node: async () => node, name: baseName(path) };
  },

  filter: (directory: DirectoryData, args: Selection, { engine }) => changedDirectory(directory, (folder) => filterFolder(folder, args, engine.store), shared),

  async exists(directory: DirectoryData, args: At & { readonly expectedType?: string; readonly doNotFollowSymlinks: boolean }, { call }) {
    const folder = await folderOf(directory, call);
    // A link that is looked for must not be followed away.
    const follow = !args.doNotFollowSymlinks && args.expectedType !== "SYMLINK_TYPE";
    try {
      return hasType(findNode(folder, args.path, { follow }), args.expectedType);
    } catch (error) {
      if (error instanceof PathError && error.code === "ENOENT") return false;
      throw error;
    }
  },

  async stat(directory: DirectoryData, args: At & { readonly doNotFollowSymlinks: boolean }, { call }) {
    const { node, names } = lookUp(await folderOf(directory, call), args.path, { follow: !args.doNotFollowSymlinks });
    if (node === undefined) throw new PathError("stat", args.path, "ENOENT");
    return statOf(node, names.at(-1) ?? directoryName(directory));
  },

  async findUp(directory: DirectoryData, { name, start }: { name: string; start: string }, { call }) {
    const folder = await folderOf(directory, call);
    for (let names = pathNames(start); ; names = names.slice(0, -1)) {
      const path = [...names, name].join("/");
      if (exists(folder, path)) return path;
      if (names.length === 0) return null;
    }
  },

  async export(directory: DirectoryData, { path, wipe }: { path: string; wipe: boolean }, { call, host, engine }) {
    const folder = await folderOf(directory, call);
    return inSpan(call.span, `export ${path}`, () => host.writeTree(path, folder, { wipe }, engine.store, call));
  },

  async sync(directory: DirectoryData, _args, { call, session }, parent) {
    await folderOf(directory, call);
    return session.objects.idOf(parent);
  },

  withError(directory: DirectoryData, { err }: { err: string }) {
    if (err !== "") throw new Error(err);
    return directory;
  },
};

function exists(folder: Parameters<typeof findNode>[0], path: string): boolean {
  try {
    findNode(folder, path, { follow: false });
    return true;
  } catch {
    return false;
  }
}
