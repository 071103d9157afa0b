import { putOperation, removeOperation, type Put } from "../../plan/operation.ts";
import { shared } from "../../plan/shared.ts";
import { chownNode } from "../../tree/edit.ts";
import { filterFolder } from "../../tree/filter.ts";
import { bytesContent, makeFile, nowNs, type FileNode, type TreeNode } from "../../tree/node.ts";
import { PathError } from "../../tree/path-error.ts";
import type { Fields } from "../resolver.ts";
import { absolutePath, withFiles, type ContainerData } from "../../values/container-data.ts";
import { readPath, readText } from "../../values/container-path.ts";
import { asFile, asFolder, baseName, folderOf, type DirectoryData, type FileData } from "../../values/directory-data.ts";
import { resolveOwner, type Owner } from "../../values/owner.ts";
import { hasType, statOf } from "../../values/stat-data.ts";
import { objectArgument } from "../object-argument.ts";
import type { QueryContext } from "../query-context.ts";
import type { Call } from "../../plan/call.ts";
import { expandIn } from "./container-config.ts";

interface At {
  readonly path: string;
  readonly expand?: boolean;
}

interface Owned extends At {
  readonly owner: string;
  readonly permissions?: number | null;
}

export const containerFileFields: Fields = {
  async withNewFile(container: ContainerData, args: Owned & { readonly contents: string }, query) {
    const owner = await ownerOf(container, args, query);
    return put(container, args, async () => {
      const content = bytesContent(Buffer.from(args.contents));
      return makeFile(content, { mode: ((args.permissions ?? 0) || 0o644) & 0o777, ...owner });
    });
  },

  async withFile(container: ContainerData, args: Owned & { readonly source: string }, query) {
    const file = objectArgument("File", args.source, query, { field: "withFile", argument: "source" });
    const owner = await ownerOf(container, args, query);
    return put(container, args, async (call) => dressed(await file.node(call), args, owner), file.name);
  },

  async withFiles(container: ContainerData, args: Owned & { readonly sources: readonly string[] }, query) {
    const owner = await ownerOf(container, args, query);
    const files = args.sources.map((source) => objectArgument("File", source, query, { field: "withFiles", argument: "sources" }));
    return files.reduce(
      (each, file) =>
        put(each, { ...args, path: `${args.path.replace(/\/+$/, "")}/${file.name}` }, async (call) => dressed(await file.node(call), args, owner), file.name),
      container,
    );
  },

  async withDirectory(container: ContainerData, args: Owned & Selection & { readonly source: string }, query) {
    const directory = objectArgument("Directory", args.source, query, { field: "withDirectory", argument: "source" });
    const owner = await ownerOf(container, args, query);
    return put(container, args, async (call) => {
      const folder = await filterFolder(await folderOf(directory, call), args, query.engine.store);
      return owner === undefined ? folder : chownNode(folder, owner);
    });
  },

  withSymlink(container: ContainerData, { target, linkName, expand }: { target: string; linkName: string; expand: boolean }) {
    const node: TreeNode = { kind: "link", target: expand ? expandIn(container.config, target) : target, mode: 0o777, uid: 0, gid: 0, modTimeNs: nowNs() };
    return put(container, { path: linkName, expand }, async () => node);
  },

  withoutFile: (container: ContainerData, args: At) => remove(container, [pathOf(container, args)]),
  withoutDirectory: (container: ContainerData, args: At) => remove(container, [pathOf(container, args)]),
  withoutFiles: (container: ContainerData, { paths, expand }: { paths: readonly string[]; expand: boolean }) =>
    remove(
      container,
      paths.map((path) => pathOf(container, { path, expand })),
    ),

  file(container: ContainerData, args: At, query): FileData {
    const path = pathOf(container, args);
    return { name: baseName(path), node: shared(async (call) => asFile(await readPath(container, path, { ...query, call }), path)) };
  },

  directory(container: ContainerData, args: At, query): DirectoryData {
    const path = pathOf(container, args);
    return { root: shared(async (call) => asFolder(await readPath(container, path, { ...query, call }), path)), path: "", name: baseName(path) };
  },

  async exists(container: ContainerData, args: At & { readonly expectedType?: string; readonly doNotFollowSymlinks: boolean }, query) {
    // A link that is looked for must not be followed away.
    const follow = !args.doNotFollowSymlinks && args.expectedType !== "SYMLINK_TYPE";
    try {
      return hasType(await readPath(container, pathOf(container, args), query, { follow, headOnly: true }), args.expectedType);
    } catch (error) {
      if (error instanceof PathError && error.code === "ENOENT") return false;
      throw error;
    }
  },

  async stat(container: ContainerData, args: At & { readonly doNotFollowSymlinks: boolean }, query) {
    const path = pathOf(container, args);
    return statOf(await readPath(container, path, query, { follow: !args.doNotFollowSymlinks, headOnly: true }), baseName(path));
  },
};

export interface Selection {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly gitignore: boolean;
}

export function pathOf({ config }: ContainerData, { path, expand }: At): string {
  return absolutePath(config, expand ? expandIn(config, path) : path);
}

/** The container with what `node` gives at the path; nothing is worked out before it is needed. */
export function put(container: ContainerData, at: At, node: (call: Call) => Promise<TreeNode>, name = ""): ContainerData {
  const path = pathOf(container, at);
  const make = async (call: Call): Promise<Put> => ({ path, name: name === "" ? baseName(path) : name, node: await node(call) });
  return withFiles(container, putOperation(container.files, make));
}

function remove(container: ContainerData, paths: readonly string[]): ContainerData {
  return withFiles(
    container,
    removeOperation(
      container.files,
      paths.map((path) => path.replace(/(.)\/$/, "$1")),
    ),
  );
}

export function ownerOf(container: ContainerData, { owner }: { readonly owner: string }, query: QueryContext): Promise<Owner | undefined> {
  return resolveOwner(owner, query.call, (path, call) => readText(container, path, { ...query, call }));
}

function dressed(file: FileNode, { permissions }: Owned, owner: Owner | undefined): FileNode {
  return { ...file, uid: 0, gid: 0, ...owner, ...(permissions === undefined || permissions === null ? {} : { mode: permissions & 0o777 }) };
}
