import type { Segment } from "../executor/executor.ts";
import type { BlobStore } from "../tree/blob-store.ts";
import type { FolderNode } from "../tree/node.ts";
import { folderEntries, writeTar, type TarEntry } from "../tree/tar-write.ts";
import type { Put } from "./operation.ts";

/** Puts a file, or the entries of a folder, to its place in a running segment. */
export async function putInto(
  segment: Segment,
  { path, node, name }: Put,
  { store, signal }: { readonly store: BlobStore; readonly signal: AbortSignal },
): Promise<void> {
  const whole = path.endsWith("/") && node.kind !== "folder" ? `${path}${name}` : path.replace(/\/+$/, "");
  const slash = whole.lastIndexOf("/");
  const entry: TarEntry = { path: whole.slice(slash + 1), node };
  const parent = whole.slice(0, slash) || "/";
  const send = (entries: Iterable<TarEntry>, at: string) => segment.put(writeTar(entries, store), at, { signal });
  if (node.kind !== "folder") await send([entry], parent);
  // An entry for the folder itself would replace a link to a folder, so it is there only when it says something.
  else if (whole === "" || isPlain(node)) await send(folderEntries(node), whole || "/");
  else await send([entry, ...folderEntries(node, `${entry.path}/`)], parent);
}

function isPlain(folder: FolderNode): boolean {
  return folder.mode === 0o755 && folder.uid === 0 && folder.gid === 0;
}
