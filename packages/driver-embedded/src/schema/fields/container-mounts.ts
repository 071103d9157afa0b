import { createHash } from "node:crypto";

import { removeOperation } from "../../plan/operation.ts";
import { chownNode } from "../../tree/edit.ts";
import type { Fields } from "../resolver.ts";
import { withConfig, withFiles, type ContainerData, type Mount } from "../../values/container-data.ts";
import { folderOf } from "../../values/directory-data.ts";
import { Unsupported } from "../api-error.ts";
import { objectArgument } from "../object-argument.ts";
import { ownerOf, pathOf, put } from "./container-files.ts";

interface MountArguments {
  readonly path: string;
  readonly expand: boolean;
  readonly owner: string;
}

/**
 * Caches and temporary folders are real mounts. Directories and files are copied in: a later command sees what an earlier
 * one wrote, but the root file system shows them, too. A read-only one can't be had that way and is refused.
 */
export const containerMountFields: Fields = {
  async withMountedDirectory(container: ContainerData, args: MountArguments & { readonly source: string; readonly readOnly: boolean }, query) {
    if (args.readOnly) throw new Unsupported("Container.withMountedDirectory(readOnly:)");
    const directory = objectArgument("Directory", args.source, query, { field: "withMountedDirectory", argument: "source" });
    const owner = await ownerOf(container, args, query);
    const copied = put(emptied(container, args), args, async (call) => {
      const folder = await folderOf(directory, call);
      return owner === undefined ? folder : chownNode(folder, owner);
    });
    return mounted(copied, { kind: "copy", path: pathOf(container, args) });
  },

  async withMountedFile(container: ContainerData, args: MountArguments & { readonly source: string }, query) {
    const file = objectArgument("File", args.source, query, { field: "withMountedFile", argument: "source" });
    const owner = await ownerOf(container, args, query);
    const copied = put(emptied(container, args), args, async (call) => ({ ...(await file.node(call)), ...owner }));
    return mounted(copied, { kind: "copy", path: pathOf(container, args) });
  },

  withMountedCache(
    container: ContainerData,
    args: MountArguments & { readonly cache: string; readonly source?: string | null; readonly sharing: string },
    query,
  ) {
    if (args.source !== undefined && args.source !== null) throw new Unsupported("Container.withMountedCache(source:)");
    if (args.owner !== "") throw new Unsupported("Container.withMountedCache(owner:)");
    const { key } = objectArgument("CacheVolume", args.cache, query, { field: "withMountedCache", argument: "cache" });
    // The key is the user's text and may say anything; a volume's name may not.
    const volume = `anyrunner-cache-${createHash("sha256").update(key).digest("hex").slice(0, 32)}`;
    return mounted(container, { kind: "cache", path: pathOf(container, args), volume });
  },

  withMountedTemp: (container: ContainerData, args: MountArguments & { readonly size?: number | null }) =>
    mounted(container, { kind: "tmpfs", path: pathOf(container, args), ...(args.size === undefined || args.size === null ? {} : { sizeBytes: args.size }) }),

  async withMountedSecret(container: ContainerData, args: MountArguments & { readonly source: string; readonly mode: number }, query) {
    const { identity, value } = objectArgument("Secret", args.source, query, { field: "withMountedSecret", argument: "source" });
    const owner = await ownerOf(container, args, query);
    const path = pathOf(container, args);
    const others = container.config.secrets.filter(({ file }) => file?.path !== path);
    const file = { path, mode: args.mode & 0o777, uid: owner?.uid ?? 0, gid: owner?.gid ?? 0 };
    return withConfig(container, { secrets: [...others, { file, identity, value }] });
  },

  withoutMount(container: ContainerData, args: MountArguments) {
    const path = pathOf(container, args);
    const mount = container.config.mounts.find((each) => each.path === path);
    const rest = withConfig(container, { mounts: container.config.mounts.filter((each) => each !== mount) });
    return mount?.kind === "copy" ? withFiles(rest, removeOperation(rest.files, [path])) : rest;
  },
};

/** What a mount hides is gone with a copy: it must not shine through. */
function emptied(container: ContainerData, args: MountArguments): ContainerData {
  return withFiles(container, removeOperation(container.files, [pathOf(container, args)]));
}

function mounted(container: ContainerData, mount: Mount): ContainerData {
  const others = container.config.mounts.filter(({ path }) => path !== mount.path);
  return withConfig(container, { mounts: [...others, mount] });
}
