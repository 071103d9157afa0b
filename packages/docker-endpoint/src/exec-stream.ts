import { randomUUID } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { abortedError, RunnerError, throwIfAborted, type CloseReason } from "@anyrunner/core";

import { compareApiVersions } from "./api-version.ts";
import type { DockerClient, RawStream } from "./docker-client.ts";
import { endQuietly } from "./end-quietly.ts";
import { createExecDuplex, type RefDuplex } from "./exec-duplex.ts";
import { readJson } from "./read-body.ts";
import { execStartError } from "./start-failure.ts";
import { MARKER_VARIABLE, terminateMarked } from "./terminate-marked.ts";

export interface OpenExecStreamOptions {
  /** Name or id. */
  readonly container: string;
  /** Program and arguments; no shell. */
  readonly command: readonly string[];
  /** `NAME=value`; needs API 1.25. */
  readonly env?: readonly string[] | undefined;
  readonly user?: string | undefined;
  /** Needs API 1.35. */
  readonly workingDir?: string | undefined;
  readonly privileged?: boolean | undefined;
  /** How many written bytes may wait here for the daemon before writes wait, too. Default 4 MiB. */
  readonly queueBytes?: number | undefined;
  /** How long a program may go on after its stream was destroyed, before it is killed; in ms. Default 3000. */
  readonly graceMs?: number | undefined;
  /** Makes a better error of the one for a program that could not be started. */
  readonly mapStartError?: ((error: RunnerError) => RunnerError) | undefined;
  /**
   * Called once, when nothing of this exec needs the client any more: after `released`, a failure, or the background work of
   * an abort. Whoever made the client for this exec closes it here.
   */
  readonly onReleased?: (() => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** A program that runs in a container, with its standard input and output as one stream. */
export interface ExecStream {
  readonly execId: string;
  /**
   * Reads standard output, writes standard input; `end()` closes standard input and the rest of the output still comes.
   * Writes are acknowledged at once while the queue has room. `destroy()` closes standard input, discards the rest of the
   * output, and kills what still runs after the grace (Docker itself lets it run).
   * Fails with what `execStartError` gives when the program could not be started, CONNECTION_LOST when the daemon goes.
   */
  readonly stream: RefDuplex;
  /** Resolves once, when the stream is gone; never rejects. `end`: the program closed its output. */
  readonly closed: Promise<CloseReason>;
  /** Resolves when the program is gone too, or was killed, or can't be reached any more; never rejects. */
  readonly released: Promise<void>;
  /** The last 4 KiB of standard error. */
  readonly stderrTail: () => string;
  /** Asks the daemon; `undefined` while it runs, or when the daemon doesn't know any more. */
  readonly exitCode: (options?: ExitCodeOptions) => Promise<number | undefined>;
}

export interface ExitCodeOptions {
  /** Another client for the same daemon, for when the one that opened the stream is closed. */
  readonly client?: DockerClient | undefined;
  readonly signal?: AbortSignal | undefined;
}

const DEFAULT_QUEUE_BYTES = 4 * 1024 * 1024;
const DEFAULT_GRACE_MS = 3000;
/** How many times the grace a daemon gets to make and start an exec that nobody waits for any more: busy ones take seconds. */
const ABANDON_GRACES = 5;
/** The daemon closes the stream a moment before it knows the exit code. */
const EXIT_POLLS = 20;
const EXIT_POLL_MS = 50;

/**
 * Starts a program in a running container: two requests, one connection. Fails with NOT_FOUND, NOT_RUNNING, UNSUPPORTED
 * (options that the daemon is too old for), or as any request. An abort rejects at once; an exec that the daemon has made by
 * then is ended in the background, since Docker would keep it until the container stops.
 */
export async function openExecStream(client: DockerClient, options: OpenExecStreamOptions): Promise<ExecStream> {
  const onReleased = options.onReleased ?? (() => undefined);
  const version = await negotiate(client, options).catch((error: unknown) => {
    onReleased();
    throw error;
  });
  const marker = compareApiVersions(version, "1.25") >= 0 ? randomUUID() : undefined;
  const { queueBytes = DEFAULT_QUEUE_BYTES, graceMs = DEFAULT_GRACE_MS, container } = options;

  const terminate = async () => {
    if (marker !== undefined) await terminateMarked(client, { container, marker });
  };
  const { execId, socket } = await startExec(client, { ...options, marker, graceMs, terminate, onReleased });
  const exitCode = (ended: boolean, call: ExitCodeOptions = {}) =>
    readExitCode(call.client ?? client, execId, { polls: ended ? EXIT_POLLS : 1, signal: call.signal });
  const { remoteEnded, ...duplex } = createExecDuplex(socket, {
    endpoint: client.endpoint,
    queueBytes,
    graceMs,
    startError: async (text) => {
      const code = await exitCode(true).catch(() => undefined);
      // 126 and 127 are the daemon's own codes for a program that could not be started; anything else is real output.
      if (code !== undefined && code !== 126 && code !== 127) return undefined;
      const error = execStartError(text, { container, program: options.command[0] ?? "", exitCode: code });
      return options.mapStartError?.(error) ?? error;
    },
    terminate,
  });
  void duplex.released.then(onReleased);
  return { execId, ...duplex, exitCode: (call) => exitCode(remoteEnded(), call) };
}

/** Asks for the version and whether it knows what is wanted. */
async function negotiate(client: DockerClient, options: OpenExecStreamOptions): Promise<string> {
  throwIfAborted(options.signal);
  const version = await client.apiVersion(options.signal);
  requireVersion(version, "1.25", options.env !== undefined, "env");
  requireVersion(version, "1.35", options.workingDir !== undefined, "workingDir");
  throwIfAborted(options.signal);
  return version;
}

interface StartOptions extends OpenExecStreamOptions {
  readonly marker: string | undefined;
  readonly graceMs: number;
  /** Ends a program that goes on after the grace. */
  readonly terminate: () => Promise<void>;
  readonly onReleased: () => void;
}

/** Creates and starts the exec. The caller's abort does not cut the requests: what they make must be ended, not forgotten. */
function startExec(client: DockerClient, options: StartOptions): Promise<StartedExec> {
  const { signal, graceMs, terminate, onReleased } = options;
  const budget = new AbortController();
  const creation = createExec(client, options, budget.signal);
  const work = creation.then(async (execId): Promise<StartedExec> => {
    const socket = await client.hijack({ path: `/exec/${execId}/start`, json: { Detach: false, Tty: false }, signal: budget.signal });
    return { execId, socket };
  });
  return new Promise((resolve, reject) => {
    const onAbort = () => {
      reject(abortedError(signal as AbortSignal));
      const timer = setTimeout(() => budget.abort(), graceMs * ABANDON_GRACES);
      timer.unref();
      void work
        .finally(() => clearTimeout(timer))
        .then(
          ({ socket }) => endQuietly(socket, { graceMs, terminate }),
          // A start that was not answered may have started it.
          () => creation.then(terminate),
        )
        .catch(() => undefined)
        .finally(onReleased);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    const settle = () => signal?.removeEventListener("abort", onAbort);
    work.then(
      (started) => {
        settle();
        resolve(started);
      },
      (error: unknown) => {
        settle();
        reject(error);
        if (!signal?.aborted) onReleased();
      },
    );
  });
}

interface StartedExec {
  readonly execId: string;
  readonly socket: RawStream;
}

async function createExec(client: DockerClient, options: StartOptions, signal: AbortSignal): Promise<string> {
  const { marker } = options;
  const env = [...(options.env ?? []), ...(marker === undefined ? [] : [`${MARKER_VARIABLE}=${marker}`])];
  const { Id: execId } = await client.json<{ readonly Id: string }>({
    method: "POST",
    path: `/containers/${encodeURIComponent(options.container)}/exec`,
    json: {
      AttachStdin: true,
      AttachStdout: true,
      AttachStderr: true,
      Tty: false,
      Cmd: options.command,
      ...(env.length > 0 && { Env: env }),
      ...(options.user !== undefined && { User: options.user }),
      ...(options.workingDir !== undefined && { WorkingDir: options.workingDir }),
      ...(options.privileged && { Privileged: true }),
    },
    signal,
  });
  return execId;
}

async function readExitCode(
  client: DockerClient,
  execId: string,
  options: { readonly polls: number; readonly signal: AbortSignal | undefined },
): Promise<number | undefined> {
  for (let poll = 1; ; poll++) {
    const response = await client.request({ path: `/exec/${execId}/json`, expect: [404], signal: options.signal });
    if (response.status === 404) {
      response.body.resume();
      return undefined;
    }
    const state = await readJson<{ readonly Running: boolean; readonly ExitCode: number | null }>(response.body);
    if (!state.Running) return state.ExitCode ?? undefined;
    if (poll >= options.polls) return undefined;
    await delay(EXIT_POLL_MS);
  }
}

function requireVersion(version: string, needed: string, used: boolean, option: string): void {
  if (!used || compareApiVersions(version, needed) >= 0) return;
  throw new RunnerError("UNSUPPORTED", `the Docker daemon speaks API ${version}, which has no "${option}" for an exec (new in ${needed})`, {
    hint: "update Docker",
  });
}
