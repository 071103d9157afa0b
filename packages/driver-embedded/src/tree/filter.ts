import { createTreeFilter, enterDirectory, isIgnored, NO_RULES, type FilterState, type GitignoreScope } from "@anyrunner/filesync";

import type { BlobStore } from "./blob-store.ts";
import { makeFolder, sortedEntries, type FolderNode, type TreeNode } from "./node.ts";

export interface FilterOptions {
  readonly include?: readonly string[] | undefined;
  readonly exclude?: readonly string[] | undefined;
  readonly gitignore?: boolean | undefined;
}

/** What include, exclude and `.gitignore` patterns leave of a folder, with the semantics of an upload from the host. */
export async function filterFolder(folder: FolderNode, options: FilterOptions, store: BlobStore): Promise<FolderNode> {
  const { include = [], exclude = [], gitignore = false } = options;
  if (include.length === 0 && exclude.length === 0 && !gitignore) return folder;
  const filter = createTreeFilter({ include, exclude });

  const visit = async (node: FolderNode, names: readonly string[], state: FilterState | undefined, outer: GitignoreScope): Promise<FolderNode> => {
    const scope = gitignore ? enterDirectory(outer, names, await gitignoreText(node, store)) : NO_RULES;
    const kept = new Map<string, TreeNode>();
    for (const [name, child] of sortedEntries(node)) {
      const path = [...names, name];
      const isFolder = child.kind === "folder";
      if (gitignore && isIgnored(scope, path, isFolder)) continue;
      const verdict = filter.judge(path.join("/"), isFolder, state);
      if (!isFolder) {
        if (verdict.kept) kept.set(name, child);
        continue;
      }
      const below = verdict.descend ? await visit(child, path, verdict.state, scope) : undefined;
      // A folder that is not chosen itself stays only for what is chosen below it.
      if (verdict.kept || (below !== undefined && below.entries.size > 0)) kept.set(name, below ?? makeFolder(new Map(), child));
    }
    return makeFolder(kept, node);
  };
  return visit(folder, [], undefined, NO_RULES);
}

async function gitignoreText(folder: FolderNode, store: BlobStore): Promise<string | undefined> {
  const node = folder.entries.get(".gitignore");
  return node?.kind === "file" ? (await store.read(node.content)).toString() : undefined;
}
