import { RunnerError } from "@anyrunner/core/driver";

import type { QueryContext } from "../schema/query-context.ts";
import { lookUp, pathNames } from "../tree/lookup.ts";
import type { TreeNode } from "../tree/node.ts";
import { PathError } from "../tree/path-error.ts";
import { readTar } from "../tree/tar-read.ts";
import { readTarHead } from "../tree/tar-head.ts";
import { evaluate, opaqueMount, type ContainerData } from "./container-data.ts";

export interface ReadPathOptions {
  /** Follow a link at the end of the path. Default true. */
  readonly follow?: boolean | undefined;
  /** Contents are not needed: a folder comes without its entries, a file without its bytes. */
  readonly headOnly?: boolean | undefined;
}

const MAX_LINKS = 40;

/**
 * What is at `path`, absolute, in the container's root file system. Fails with `PathError` for a missing path, and where a
 * mount hides it whose contents belong to commands alone.
 */
export async function readPath(container: ContainerData, path: string, query: QueryContext, options: ReadPathOptions = {}): Promise<TreeNode> {
  const { engine, call } = query;
  await evaluate(container, engine.planner, call);
  const mount = opaqueMount(container.config, path.replace(/(.)\/$/, "$1"));
  if (mount !== undefined) throw new Error(`${path}: cannot retrieve path from ${mount.kind}`);
  const tree = await container.files.tree(call);
  if (tree !== undefined) {
    const { node } = lookUp(tree, path, { follow: options.follow });
    if (node === undefined) throw new PathError("stat", path, "ENOENT");
    return node;
  }
  let at = path;
  for (let links = 0; links < MAX_LINKS; links++) {
    const node = await readOnce(container, at, query, options);
    if (node.kind !== "link" || options.follow === false) return node;
    at = node.target.startsWith("/") ? node.target : `/${[...pathNames(at).slice(0, -1), node.target].join("/")}`;
  }
  throw new PathError("stat", path, "ELOOP");
}

async function readOnce(container: ContainerData, path: string, { engine, call }: QueryContext, options: ReadPathOptions): Promise<TreeNode> {
  const names = pathNames(path);
  const clean = `/${names.join("/")}`;
  try {
    return await engine.planner.read(container.files, clean, call, async (tar) => {
      if (options.headOnly) return readTarHead(tar);
      const root = await readTar(tar, engine.store);
      const only = [...root.entries.values()];
      // The root's own archive has its entries at the top; any other has the path's last name there.
      return names.length === 0 || only.length !== 1 ? root : (only[0] as TreeNode);
    });
  } catch (error) {
    if (RunnerError.is(error) && error.code === "NOT_FOUND") throw new PathError("stat", path, "ENOENT");
    throw error;
  }
}

/** A small text file of the container, undefined when it is missing. */
export async function readText(container: ContainerData, path: string, query: QueryContext): Promise<string | undefined> {
  try {
    const node = await readPath(container, path, query);
    return node.kind === "file" ? (await query.engine.store.read(node.content)).toString() : undefined;
  } catch (error) {
    if (error instanceof PathError) return undefined;
    throw error;
  }
}
