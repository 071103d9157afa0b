import type { Snapshot } from "../executor/executor.ts";
import type { SegmentMount } from "../executor/executor.ts";
import { mergeFolders, placeFor, removeNode, setNode, withFileAt } from "../tree/edit.ts";
import { lookUp } from "../tree/lookup.ts";
import { EMPTY_FOLDER, treeDigest, type FolderNode, type TreeNode } from "../tree/node.ts";
import type { Call, Lazy } from "./call.ts";
import { operationKey } from "./canonical.ts";
import { shared } from "./shared.ts";

/** One link of the chain of operations that makes a root file system. Immutable, keyed by what it does. */
export type Operation = TreeOperation | ImageOperation | PutOperation | RemoveOperation | ExecOperation;

interface Common {
  readonly key: Lazy<string>;
  /** The root file system without asking any container engine: known as long as nothing ran and no image is below. */
  readonly tree: Lazy<FolderNode | undefined>;
}

export interface TreeOperation extends Common {
  readonly kind: "tree";
}

export interface ImageOperation extends Common {
  readonly kind: "image";
  readonly snapshot: Snapshot;
}

export interface PutOperation extends Common {
  readonly kind: "put";
  readonly parent: Operation;
  readonly put: Lazy<Put>;
}

/** `file`: a file under that very path. `folder`: the entries below, joined with what is there. */
export interface Put {
  readonly path: string;
  readonly node: TreeNode;
  /** The name that the file gets when `path` turns out to be a folder. */
  readonly name: string;
}

export interface RemoveOperation extends Common {
  readonly kind: "remove";
  readonly parent: Operation;
  readonly paths: readonly string[];
}

export interface ExecOperation extends Common {
  readonly kind: "exec";
  readonly parent: Operation;
  readonly exec: Exec;
}

export interface Exec {
  readonly args: readonly string[];
  readonly env: readonly string[];
  /** Visible to the process, absent from the key. */
  readonly volatileEnv: readonly string[];
  readonly secrets: readonly SecretUse[];
  readonly workingDir: string;
  readonly user: string;
  readonly stdin: string;
  readonly redirectStdin?: string | undefined;
  readonly redirectStdout?: string | undefined;
  readonly redirectStderr?: string | undefined;
  readonly expect: "SUCCESS" | "FAILURE" | "ANY";
  readonly privileged: boolean;
  readonly mounts: readonly SegmentMount[];
}

/** A secret that a command gets, as a variable or as a file. */
export interface SecretUse {
  readonly variable?: string | undefined;
  readonly file?: { readonly path: string; readonly mode: number; readonly uid: number; readonly gid: number } | undefined;
  /** Part of the key; says nothing about the value. */
  readonly identity: Lazy<string>;
  readonly value: Lazy<Uint8Array>;
}

export const SCRATCH: TreeOperation = treeOperation(async () => EMPTY_FOLDER);

export function treeOperation(tree: Lazy<FolderNode>): TreeOperation {
  const known = shared(tree);
  return { kind: "tree", tree: known, key: async (call) => treeKey(await known(call)) };
}

export function imageOperation(snapshot: Snapshot): ImageOperation {
  const key = operationKey({ image: snapshot.image });
  return { kind: "image", snapshot, tree: async () => undefined, key: async () => key };
}

export function putOperation(parent: Operation, put: Lazy<Put>): PutOperation {
  const known = shared(put);
  const tree = shared(async (call: Call) => {
    const below = await parent.tree(call);
    return below === undefined ? undefined : applyPut(below, await known(call));
  });
  const key = shared(async (call: Call) => {
    const whole = await tree(call);
    if (whole !== undefined) return treeKey(whole);
    const { path, node, name } = await known(call);
    return operationKey({ parent: await parent.key(call), put: path, name, node: treeDigest(node) });
  });
  return { kind: "put", parent, put: known, tree, key };
}

export function removeOperation(parent: Operation, paths: readonly string[]): RemoveOperation {
  const tree = shared(async (call: Call) => {
    const below = await parent.tree(call);
    return below === undefined ? undefined : paths.reduce(removePath, below);
  });
  const key = shared(async (call: Call) => {
    const whole = await tree(call);
    return whole !== undefined ? treeKey(whole) : operationKey({ parent: await parent.key(call), remove: paths });
  });
  return { kind: "remove", parent, paths, tree, key };
}

export function execOperation(parent: Operation, exec: Exec): ExecOperation {
  const key = shared(async (call: Call) => {
    const { volatileEnv: _, secrets, stdin, redirectStdin, redirectStdout, redirectStderr, ...rest } = exec;
    return operationKey({
      parent: await parent.key(call),
      exec: {
        ...rest,
        mounts: exec.mounts.map((mount) => ({ ...mount })),
        stdin,
        redirectStdin: redirectStdin ?? null,
        redirectStdout: redirectStdout ?? null,
        redirectStderr: redirectStderr ?? null,
        secrets: await Promise.all(
          secrets.map(async ({ variable, file, identity }) => ({
            variable: variable ?? null,
            file: file === undefined ? null : { ...file },
            identity: await identity(call),
          })),
        ),
      },
    });
  });
  return { kind: "exec", parent, exec, tree: async () => undefined, key };
}

function treeKey(tree: FolderNode): string {
  return operationKey({ tree: treeDigest(tree) });
}

function applyPut(root: FolderNode, { path, node, name }: Put): FolderNode {
  if (node.kind !== "folder") return withFileAt(root, path, { name, node });
  const place = placeFor(root, path, "mkdir");
  const there = place.node?.kind === "folder" ? place.node : EMPTY_FOLDER;
  const joined = mergeFolders(there, node);
  return place.names.length === 0 ? joined : setNode(root, place.names, joined);
}

function removePath(root: FolderNode, path: string): FolderNode {
  try {
    return removeNode(root, lookUp(root, path, { follow: false }).names);
  } catch {
    return root;
  }
}
