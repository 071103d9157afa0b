import { findNode } from "../../tree/lookup.ts";
import { PathError } from "../../tree/path-error.ts";
import type { Fields } from "../../values/api-object.ts";
import { asFile, wholeTree, type DirectoryData, type FileData } from "../../values/directory-data.ts";
import { errorMessage } from "../api-error.ts";
import type { QueryContext } from "../query-context.ts";
import type { Selection } from "./container-files.ts";

/** The client's machine. Reads happen at once, so that a missing path fails where it is named. */
export const hostFields: Fields = {
  async directory(_host, { path, ...selection }: Selection & { readonly path: string }, query): Promise<DirectoryData> {
    const folder = await readHost(path, selection, query);
    return wholeTree(async () => folder);
  },

  async file(_host, { path, gitignore }: { readonly path: string; readonly gitignore?: boolean }, query): Promise<FileData> {
    const clean = path.replace(/\/+$/, "");
    const slash = clean.lastIndexOf("/");
    const name = clean.slice(slash + 1);
    const folder = await readHost(slash < 0 ? "." : clean.slice(0, slash) || "/", { include: [name], exclude: [], gitignore: gitignore ?? false }, query);
    const node = findNode(folder, name, { follow: false });
    // A link's target is not part of what was read, so the engine finds nothing there.
    if (node.kind === "link") throw new PathError("stat", name, "ENOENT");
    const file = asFile(node, name);
    return { node: async () => file, name };
  },
};

async function readHost(path: string, selection: Selection, { host, engine, call }: QueryContext) {
  try {
    const absolute = await host.realPath(path, call);
    return await host.readTree({ ...selection, path: absolute }, engine.store, call);
  } catch (error) {
    throw new HostReadError(error);
  }
}

/** The client could not give a directory; in the words of the engine. */
class HostReadError extends Error {
  constructor(cause: unknown) {
    super(`failed to get snapshot: failed to snapshot: failed to receive stat message: ${errorMessage(cause)}`, { cause });
  }
}
