import type { Readable } from "node:stream";

import { RunnerError, throwIfAborted } from "@anyrunner/core/driver";

import type { BlobStore } from "../tree/blob-store.ts";
import { mergeFolders, removeNode, setNode, withFileAt } from "../tree/edit.ts";
import { lookUp, pathNames } from "../tree/lookup.ts";
import { bytesContent, EMPTY_FOLDER, makeFile, type FolderNode } from "../tree/node.ts";
import { readTar } from "../tree/tar-read.ts";
import { folderEntries, writeTar } from "../tree/tar-write.ts";
import type { ExecResult, ExecStep, Executor, Segment, Snapshot } from "./executor.ts";

/** An executor without containers, for tests: file systems in memory, commands written in TypeScript. */
export interface FakeExecutor extends Executor {
  /** What was called, in order: `open`, `exec echo a`, `seal`, `close`, … */
  readonly calls: string[];
}

export interface FakeExecutorOptions {
  readonly store: BlobStore;
  /** Runs before each command; a promise holds it back. */
  readonly gate?: ((step: ExecStep) => Promise<void> | void) | undefined;
}

export function createFakeExecutor({ store, gate }: FakeExecutorOptions): FakeExecutor {
  const calls: string[] = [];
  const images = new Map<string, FolderNode>();
  const byDigest = new Map<string, Snapshot>();
  let counter = 0;

  const keep = (root: FolderNode, digest: string): Snapshot => {
    const snapshot = { image: `sha256:${String(++counter).padStart(64, "0")}`, layers: 1 };
    images.set(snapshot.image, root);
    byDigest.set(digest, snapshot);
    return snapshot;
  };

  return {
    calls,
    probe: async () => ({ engine: "docker", version: "0", storeId: "fake", cpus: 2, platform: "linux/amd64" }),
    async resolveImage(reference) {
      calls.push(`resolve ${reference}`);
      if (reference !== "base:1") throw new RunnerError("IMAGE_PULL_FAILED", `failed to resolve image "${reference}": not found`);
      const snapshot = byDigest.get("base") ?? keep(setNode(EMPTY_FOLDER, ["etc", "os"], makeFile(bytesContent(Buffer.from("base\n")))), "base");
      const config = {
        env: ["LANG=C"],
        workingDir: "",
        user: "",
        entrypoint: undefined,
        cmd: ["sh"],
        labels: { made: "by-test" },
        exposedPorts: [],
        platform: "linux/amd64",
      };
      return { snapshot, reference: "base:1@sha256:feed", config };
    },
    importArchive: async () => Promise.reject(new RunnerError("UNSUPPORTED", "the fake imports no archives")),
    async importTree({ digest, tar }) {
      const known = byDigest.get(digest);
      if (known !== undefined) return known;
      calls.push("import");
      return keep(await readTar(tar(), store), digest);
    },
    find: async (digest) => byDigest.get(digest),
    async forget(digest) {
      calls.push("forget");
      images.delete(byDigest.get(digest)?.image ?? "");
      byDigest.delete(digest);
    },
    async open(base) {
      calls.push("open");
      const root = images.get(base.image);
      if (root === undefined) throw new RunnerError("NOT_FOUND", `no image ${base.image}`);
      return fakeSegment(root);
    },
    async read(snapshot, path) {
      calls.push(`read ${path}`);
      return archive(images.get(snapshot.image) ?? EMPTY_FOLDER, path);
    },
    async close() {},
  };

  function fakeSegment(start: FolderNode): Segment {
    let root = start;
    return {
      async exec(step, options) {
        calls.push(`exec ${step.args.join(" ")}`);
        await Promise.race([gate?.(step), whenAborted(options.signal)]);
        throwIfAborted(options.signal);
        const { result, changed } = await runCommand(step, root, store);
        root = changed;
        return result;
      },
      async put(tar, path) {
        const tree = await readTar(tar, store);
        const names = pathNames(path);
        root = names.length === 0 ? mergeFolders(root, tree) : setNode(root, names, mergeFolders(folderAt(root, path), tree));
      },
      get: async (path) => archive(root, path),
      async remove(paths) {
        for (const path of paths) root = removeNode(root, pathNames(path));
      },
      async seal(digest) {
        calls.push("seal");
        return keep(root, digest);
      },
      async close() {
        calls.push("close");
      },
    };
  }

  function archive(root: FolderNode, path: string): Readable {
    const names = pathNames(path);
    const { node } = lookUp(root, path);
    if (node === undefined) throw new RunnerError("NOT_FOUND", `no such path ${path}`);
    const name = names.at(-1) ?? "";
    if (name === "") return writeTar(folderEntries(root), store);
    return writeTar([{ path: name, node }, ...(node.kind === "folder" ? folderEntries(node, `${name}/`) : [])], store);
  }
}

/** Never for a signal that is not aborted. */
function whenAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener("abort", () => resolve(), { once: true }));
}

function folderAt(root: FolderNode, path: string): FolderNode {
  const { node } = lookUp(root, path, { missing: "make" });
  return node?.kind === "folder" ? node : EMPTY_FOLDER;
}

let ticks = 0;

/** `echo`, `fail N TEXT`, `cat PATH…`, `write PATH TEXT`, `env`, `stdin`, `tick` (never the same twice). */
async function runCommand(step: ExecStep, root: FolderNode, store: BlobStore): Promise<{ result: ExecResult; changed: FolderNode }> {
  const [command = "", ...args] = step.args;
  const say = async (text: string) => step.stdout(Buffer.from(text));
  let changed = root;
  let exitCode = 0;
  switch (command) {
    case "echo":
      await say(`${args.join(" ")}\n`);
      break;
    case "fail":
      exitCode = Number(args[0]);
      await say("o\n");
      await step.stderr(Buffer.from(`${args[1] ?? "e"}\n`));
      break;
    case "cat":
      for (const path of args) {
        const { node } = lookUp(root, path);
        if (node?.kind === "file") await say((await store.read(node.content)).toString());
      }
      break;
    case "write":
      changed = withFileAt(root, args[0] ?? "", { name: "", node: makeFile(bytesContent(Buffer.from(args[1] ?? ""))) });
      break;
    case "env":
      await say(step.env.join("\n"));
      break;
    case "stdin":
      await say(Buffer.from(step.stdin ?? []).toString());
      break;
    case "tick":
      changed = withFileAt(root, "/tick", { name: "", node: makeFile(bytesContent(Buffer.from(String(++ticks)))) });
      await say(`${ticks}\n`);
      break;
    default:
      await step.stderr(Buffer.from(`exec: "${command}": executable file not found in $PATH\n`));
      return { result: { exitCode: 1, failure: { kind: "command", message: `exec: "${command}": executable file not found in $PATH` } }, changed };
  }
  return { result: { exitCode }, changed };
}
