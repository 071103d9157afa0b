import type { Readable } from "node:stream";

import type { Reporter } from "@anyrunner/core/driver";

/**
 * What runs the steps: the seam between the core API (immutable values, content-addressed trees, planning) and a container
 * engine. One implementation speaks the Docker Engine API, to Docker and to Podman alike; its abilities are probed, never
 * assumed.
 */
export interface Executor {
  /** Asks the container engine what it is and can do. Cached. Fails with CONNECTION_REFUSED, PERMISSION_DENIED, UNSUPPORTED. */
  probe(options: ExecutorCall): Promise<ExecutorFacts>;
  /** The image of that name, pulled when it is not there. Fails with IMAGE_PULL_FAILED. */
  resolveImage(reference: string, options: ResolveImageOptions): Promise<ResolvedImage>;
  /** Loads an image archive (docker save or OCI layout). */
  importArchive(archive: Readable, options: ExecutorCall): Promise<ResolvedImage>;
  /** Makes a snapshot with just this tree; `digest` names it, so that the same tree is imported once. */
  importTree(tree: { readonly digest: string; readonly tar: () => Readable }, options: ExecutorCall): Promise<Snapshot>;
  /** The snapshot that was sealed or imported under `digest`, if it still exists. */
  find(digest: string, options: ExecutorCall): Promise<Snapshot | undefined>;
  /** Gives up the snapshot of `digest`: its storage is freed once nothing is built on it. One that is gone is fine. */
  forget(digest: string, options: ExecutorCall): Promise<void>;
  /** Opens a place where steps run one after the other on top of `base`. */
  open(base: Snapshot, spec: SegmentSpec, options: ExecutorCall): Promise<Segment>;
  /** A path of a snapshot as a tar stream whose first entry is the path's own name. Fails with NOT_FOUND. */
  read(snapshot: Snapshot, path: string, options: ExecutorCall): Promise<Readable>;
  /** Removes everything of this executor that still runs. */
  close(): Promise<void>;
}

export interface ExecutorCall {
  readonly signal?: AbortSignal | undefined;
  readonly report?: Reporter | undefined;
}

export interface ResolveImageOptions extends ExecutorCall {
  readonly platform?: string | undefined;
  /** What the user's machine knows about a registry, asked only when something must be pulled. */
  readonly credentials?: ((host: string) => Promise<{ readonly username: string; readonly secret: string } | undefined>) | undefined;
}

export interface ExecutorFacts {
  readonly engine: "docker" | "podman";
  readonly version: string;
  /** Stable identity of the daemon's storage: part of every cache key. */
  readonly storeId: string;
  readonly cpus: number;
  /** `linux/amd64`. */
  readonly platform: string;
}

/** A root file system that can be started from. */
export interface Snapshot {
  /** The image id, `sha256:…`. */
  readonly image: string;
  readonly layers: number;
}

export interface ResolvedImage {
  readonly snapshot: Snapshot;
  /** `name@sha256:…` when the registry told, else the id. */
  readonly reference: string;
  readonly config: ImageConfig;
}

export interface ImageConfig {
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly entrypoint: readonly string[] | undefined;
  readonly cmd: readonly string[] | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly exposedPorts: readonly string[];
  readonly platform: string;
}

/** What all steps of one segment share; another value means another segment. */
export interface SegmentSpec {
  readonly mounts: readonly SegmentMount[];
  readonly privileged: boolean;
  readonly network: "default" | "none";
  /** The steps that are known to follow; 1 allows the command to be the container itself. */
  readonly expectedSteps: number;
}

export type SegmentMount =
  | { readonly kind: "cache"; readonly path: string; readonly volume: string }
  | { readonly kind: "tmpfs"; readonly path: string; readonly sizeBytes?: number | undefined };

/** A running place for steps. Not concurrent: one call at a time. */
export interface Segment {
  /**
   * Runs one command to its end. Every process that it left behind is ended before the call returns. An abort kills the
   * command; the segment is then good for `close` alone.
   */
  exec(step: ExecStep, options: ExecutorCall): Promise<ExecResult>;
  /**
   * Unpacks a tar stream below `path`, which is made when missing (root, 0755) and whose links are followed inside the root
   * file system. Owners, modes and times are those of the archive.
   */
  put(tar: Readable, path: string, options: ExecutorCall): Promise<void>;
  /** As `Executor.read`, of the present state. Fails with NOT_FOUND. */
  get(path: string, options: ExecutorCall): Promise<Readable>;
  /** Removes paths, recursively; missing ones are fine. */
  remove(paths: readonly string[], options: ExecutorCall): Promise<void>;
  /**
   * Makes a snapshot of the present state under `digest`; the segment stays usable. When nothing changed since the segment
   * was opened or last sealed, that snapshot is given again and nothing is made. Contents of mounts never take part.
   */
  seal(digest: string, options: ExecutorCall): Promise<Snapshot>;
  /** Ends everything that runs in it and removes it. Idempotent. */
  close(): Promise<void>;
}

export interface ExecResult {
  /** 128 and the signal's number for a process that a signal ended; -1 when the container could not run it at all. */
  readonly exitCode: number;
  /**
   * Why no process of the step ran, in the words of the engine. `command`: it was not found or can't be run; the exit code is 1
   * and the message was written to standard error. The others come with -1.
   */
  readonly failure?: { readonly kind: "command" | "user" | "workdir" | "resources"; readonly message: string } | undefined;
}

export interface ExecStep {
  readonly args: readonly string[];
  /** The whole environment, `NAME=value`. May hold secrets: never in labels, argv or messages. HOME is the runtime's when absent. */
  readonly env: readonly string[];
  /** Made when missing (root, 0755); it stays. */
  readonly workingDir: string;
  /** As the API user wrote it (`name`, `uid`, `uid:gid`, …), resolved in the container; empty is root. */
  readonly user: string;
  readonly stdin?: Uint8Array | undefined;
  /** Called with each chunk in order; a returned promise holds the stream back. */
  readonly stdout: (chunk: Uint8Array) => void | Promise<void>;
  readonly stderr: (chunk: Uint8Array) => void | Promise<void>;
}
