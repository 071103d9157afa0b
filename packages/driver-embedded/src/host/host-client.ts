import type { Call } from "../plan/call.ts";
import type { BlobStore } from "../tree/blob-store.ts";
import type { Content, FolderNode } from "../tree/node.ts";

/** The machine of the client that asks, reached through its attachables. Errors are those that the client's side gave. */
export interface HostClient {
  /** The absolute path that `path` means there, links resolved. Fails with a GrpcError NOT_FOUND. */
  realPath(path: string, call: Call): Promise<string>;
  exists(path: string, call: Call): Promise<boolean>;
  /** A directory, by what the selection leaves of it. */
  readTree(selection: HostSelection, store: BlobStore, call: Call): Promise<FolderNode>;
  /** Writes `folder` to `path`; gives the absolute path. The client's side confines what is written. */
  writeTree(path: string, folder: FolderNode, options: { readonly wipe: boolean }, store: BlobStore, call: Call): Promise<string>;
  /** Writes one file; gives the absolute path. */
  writeFile(file: HostFile, store: BlobStore, call: Call): Promise<string>;
  /** The value behind a secret's URI. */
  secret(uri: string, call: Call): Promise<Uint8Array>;
  /** What the client's machine knows about a registry; undefined for nothing. */
  credentials(host: string, call: Call): Promise<{ readonly username: string; readonly secret: string } | undefined>;
}

export interface HostSelection {
  /** Absolute. */
  readonly path: string;
  readonly include: readonly string[];
  readonly exclude: readonly string[];
  readonly gitignore: boolean;
}

export interface HostFile {
  readonly path: string;
  readonly content: Content;
  /** Permission bits. */
  readonly mode: number;
  /** For a path that turns out to be a directory, where `allowParentDirPath` permits it. */
  readonly originalName: string;
  readonly allowParentDirPath: boolean;
}
