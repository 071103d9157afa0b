import { encodeImportOptions, isRegular, requestTree, type FileStat } from "@anyrunner/filesync";
import { FILE_SYNC_DIFF_COPY, type GrpcStream } from "@anyrunner/protocol";

import type { Call } from "../plan/call.ts";
import type { BlobStore } from "../tree/blob-store.ts";
import { EMPTY_FOLDER, makeFolder, type FolderNode, type TreeNode } from "../tree/node.ts";
import { statNode } from "./entry-stat.ts";
import type { HostSelection } from "./host-client.ts";
import { isSame, mirrored, type HostMirror, type MirroredFile } from "./mirrors.ts";

export interface ReadHostTreeOptions {
  readonly selection: HostSelection;
  readonly store: BlobStore;
  readonly call: Call;
  readonly mirror: HostMirror;
  readonly open: (path: string, metadata: Record<string, readonly string[]>, call: Call) => Promise<GrpcStream>;
}

/** A directory of the client as a tree; contents that are known from before are not transferred. */
export async function readHostTree({ selection, store, call, mirror, open }: ReadHostTreeOptions): Promise<FolderNode> {
  const loaded = await mirror.load();
  const known = (await isComplete(loaded, store)) ? loaded : new Map<string, MirroredFile>();
  const files = new Map<string, MirroredFile>();
  const root = new Map<string, TreeNode>();
  const folders = new Map<string, Map<string, TreeNode>>([["", root]]);
  const byPath = new Map<string, TreeNode>();
  const reusable = (stat: FileStat) => {
    const entry = known.get(stat.path);
    return isSame(entry, stat) ? entry : undefined;
  };

  const stream = await open(
    FILE_SYNC_DIFF_COPY,
    encodeImportOptions({ path: selection.path, includePatterns: selection.include, excludePatterns: selection.exclude, useGitignore: selection.gitignore }),
    call,
  );
  try {
    await requestTree({
      channel: stream,
      signal: call.signal,
      wants: (stat) => reusable(stat) === undefined,
      async entry(stat, content) {
        if (stat.gitIgnored) return;
        for (const name of [stat.path, stat.linkname]) {
          if (!name.isWellFormed())
            throw new Error(`the name ${JSON.stringify(name.toWellFormed())} on the host is not UTF-8, and other names are not supported`);
        }
        const node = await nodeOf(stat, content);
        if (node !== undefined) place(stat.path, node);
      },
    });
  } finally {
    // Engines end a transfer by cancelling the call.
    stream.cancel();
  }
  if (files.size !== known.size || [...files].some(([path, file]) => known.get(path)?.digest !== file.digest || known.get(path)?.modTimeNs !== file.modTimeNs))
    await mirror.save(files);
  return makeFolder(root, EMPTY_FOLDER);

  async function nodeOf(stat: FileStat, body: AsyncIterable<Uint8Array> | undefined): Promise<TreeNode | undefined> {
    if (!isRegular(stat.mode)) return statNode(stat, undefined);
    // A further hard link: the same file under another name.
    if (stat.linkname !== "") return byPath.get(stat.linkname);
    const before = reusable(stat);
    const content =
      body === undefined && before !== undefined ? { digest: before.digest, size: before.size } : await store.add(body ?? new Uint8Array(), { onDisk: true });
    files.set(stat.path, mirrored(content, stat.modTimeNs));
    return statNode(stat, content);
  }

  function place(path: string, node: TreeNode): void {
    const slash = path.lastIndexOf("/");
    const parent = folders.get(slash < 0 ? "" : path.slice(0, slash));
    if (node.kind === "folder") {
      const entries = new Map<string, TreeNode>();
      folders.set(path, entries);
      parent?.set(path.slice(slash + 1), makeFolder(entries, node));
      return;
    }
    if (node.kind === "file") byPath.set(path, node);
    parent?.set(path.slice(slash + 1), node);
  }
}

/** Blobs go all together, with the state folder: a few of them tell about the rest, and ten thousand need not be asked for. */
async function isComplete(known: ReadonlyMap<string, MirroredFile>, store: BlobStore): Promise<boolean> {
  const digests = [...known.values()].map(({ digest }) => digest);
  const sample = digests.filter((_, index) => index % Math.ceil(digests.length / SAMPLE) === 0);
  return (await Promise.all(sample.map((digest) => store.has(digest)))).every(Boolean);
}

const SAMPLE = 16;
