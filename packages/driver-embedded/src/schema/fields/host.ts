import { findNode, lookUp } from "../../tree/lookup.ts";
import { EMPTY_FOLDER, type FolderNode } from "../../tree/node.ts";
import { PathError } from "../../tree/path-error.ts";
import { inSpan } from "../../telemetry/span.ts";
import type { Fields } from "../resolver.ts";
import { asFile, wholeTree, type DirectoryData, type FileData } from "../../values/directory-data.ts";
import { errorMessage } from "../api-error.ts";
import type { QueryContext } from "../query-context.ts";
import type { Selection } from "./container-files.ts";

/** The client's machine. Reads happen at once, so that a missing path fails where it is named. */
export const hostFields: Fields = {
  async directory(_host, { path, ...selection }: Selection & { readonly path: string }, query): Promise<DirectoryData> {
    const folder = await inSpan(query.call.span, `host directory ${path}`, () => readHost(path, selection, query));
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

  /** From the client's working directory upwards; the path is relative to it. */
  async findUp(_host, { name }: { name: string }, { host, call }) {
    const start = await host.realPath(".", call);
    for (const [depth, folder] of [start, ...parentsOf(start)].entries()) {
      if (await host.exists(`${folder === "/" ? "" : folder}/${name}`, call)) return `${"../".repeat(depth)}${name}`;
    }
    return null;
  },
};

async function readHost(path: string, selection: Selection, query: QueryContext): Promise<FolderNode> {
  const { host, engine, call } = query;
  const { gitignore } = selection;
  const include = selection.include.filter(isPattern);
  const exclude = selection.exclude.filter(isPattern);
  try {
    const absolute = await host.realPath(path, call);
    const root = gitignore ? await gitRoot(absolute, query) : undefined;
    if (root === undefined || root === absolute) return await host.readTree({ path: absolute, include, exclude, gitignore }, engine.store, call);
    // The rules of the folders above hold, too: read from the top of the work tree, and take what was asked for.
    const below = absolute.slice(root === "/" ? 1 : root.length + 1);
    const tree = await host.readTree(
      { path: root, include: include.length === 0 ? [below] : include.map(moved(below)), exclude: exclude.map(moved(below)), gitignore },
      engine.store,
      call,
    );
    const { node } = lookUp(tree, below, { missing: "make" });
    return node?.kind === "folder" ? node : EMPTY_FOLDER;
  } catch (error) {
    throw new HostReadError(error);
  }
}

/** The nearest folder at or above `path` that holds `.git`. */
async function gitRoot(path: string, { host, call }: QueryContext): Promise<string | undefined> {
  for (const folder of [path, ...parentsOf(path)]) {
    if (await host.exists(`${folder === "/" ? "" : folder}/.git`, call)) return folder;
  }
  return undefined;
}

function parentsOf(path: string): string[] {
  const names = path.split("/").filter((name) => name !== "");
  return names.map((_, index) => `/${names.slice(0, names.length - 1 - index).join("/")}`);
}

function moved(below: string): (pattern: string) => string {
  return (pattern) => (pattern.startsWith("!") ? `!${below}/${pattern.slice(1)}` : `${below}/${pattern}`);
}

/** Blank patterns count as none: a list of nothing else filters nothing. */
function isPattern(text: string): boolean {
  return text.trim() !== "";
}

/** The client could not give a directory; in the words of the engine. */
class HostReadError extends Error {
  constructor(cause: unknown) {
    super(`failed to get snapshot: failed to snapshot: failed to receive stat message: ${errorMessage(cause)}`, { cause });
  }
}
