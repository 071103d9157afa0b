import type { Duplex } from "node:stream";

import type { ErrorCode } from "./error-codes.ts";
import type { JsonObject } from "./json.ts";
import type { OptionSpec } from "./option-spec.ts";
import type { RunnerUrl } from "./runner-url.ts";

/**
 * What a backend must be able to do, version 1.
 *
 * A URL goes parse → probe → provision → connect. `parse` gives a target (what the URL means), `provision` gives a handle
 * (what now exists). Both are plain JSON without closures: another process, or a driver written in another language, can
 * take a handle and go on. Creating a driver and importing its package do no I/O and load no SDK.
 *
 * Everything rejects with a `RunnerError`; an aborted `signal` rejects with ABORTED at once and leaves nothing behind.
 */
export interface RunnerDriver<Target extends RunnerTarget = RunnerTarget, Handle extends RunnerHandle = RunnerHandle> {
  readonly specVersion: 1;
  /** Its own version, for lists and reports. Default: that of the package that it comes from. */
  readonly version?: string | undefined;
  /** The backend's name, lower case: `docker`, `kubernetes`. Unique in a registry. */
  readonly name: string;
  /** The schemes it answers to, lower case, without `://`. */
  readonly schemes: readonly string[];
  readonly capabilities: readonly DriverCapability[];
  /** Every parameter that may stand behind the `?` of its URLs. */
  readonly options: readonly OptionSpec[];

  /** Checks the grammar of the body and of each parameter. No I/O. Fails with INVALID_URL or INVALID_OPTION. */
  parse(url: RunnerUrl): Target | Promise<Target>;
  /**
   * Says whether the backend can be used here, by its `code` NOT_AVAILABLE (what the driver needs on this machine is missing), NOT_FOUND (the runner is), NOT_RUNNING,
   * PERMISSION_DENIED and so on. Never throws because something is absent: that is an answer. Fails with ABORTED.
   */
  probe(target: Target, options: CallOptions): Promise<ProbeResult>;
  /**
   * Finds or creates the runner. Two callers at once get the same handle. Fails with NOT_FOUND, NOT_AVAILABLE, PERMISSION_DENIED, AUTH_FAILED, IMAGE_PULL_FAILED,
   * INVALID_CONFIG, TIMEOUT (it never became ready), ABORTED; with the error of `ready` where that fails. An error about a runner that is there but does not run (NOT_RUNNING,
   * IMAGE_PULL_FAILED) may hold its handle as `details.handle`, so that it can be looked at: see `handleOfError`.
   */
  provision(target: Target, options: ProvisionOptions): Promise<Handle>;
  /**
   * Opens one byte stream to the engine; called many times, in parallel too. Fails with CONNECTION_REFUSED, NOT_RUNNING, NOT_FOUND, NAME_NOT_RESOLVED, TLS_FAILED,
   * AUTH_FAILED, PERMISSION_DENIED, ABORTED. An error that may pass without anyone doing anything is `retryable`; the driver itself tries once.
   */
  connect(handle: Handle, options: CallOptions): Promise<RunnerConnection>;

  /** Capability `inspect`. A runner that is gone has status `missing`; that is no error. Fails with NOT_AVAILABLE, ABORTED. */
  inspect?(handle: Handle, options: CallOptions): Promise<RunnerState>;
  /** Capability `logs`: UTF-8 text in chunks, oldest first; ends unless `follow` is set. Fails with NOT_FOUND, ABORTED. */
  logs?(handle: Handle, options: LogsOptions): AsyncIterable<string>;
  /** Capability `lifecycle`. Starting what runs succeeds. Fails with NOT_FOUND, ABORTED. */
  start?(handle: Handle, options: CallOptions): Promise<void>;
  /** Capability `lifecycle`. Stopping what is stopped or gone succeeds. Fails with ABORTED. */
  stop?(handle: Handle, options: StopOptions): Promise<void>;
  /** Capability `lifecycle`. Destroying what is gone succeeds. Fails with UNSUPPORTED for a runner that isn't owned, ABORTED. */
  destroy?(handle: Handle, options: DestroyOptions): Promise<void>;
  /** Capability `list`: the runners that this driver created and still owns; empty where the backend isn't there. Fails with ABORTED. */
  list?(options: ListOptions<Target>): Promise<readonly Handle[]>;
}

/**
 * - `provision`: `provision` may create something (else it only finds).
 * - `half-close`: ending the writing side of a connection still lets the answer arrive.
 * - `inspect`, `logs`, `list`: the members of that name exist.
 * - `lifecycle`: `start`, `stop` and `destroy` exist.
 */
export type DriverCapability = "provision" | "half-close" | "inspect" | "logs" | "lifecycle" | "list";

/** What a URL means to its driver. Plain JSON; no secrets in it: DRIVER_INVALID. */
export interface RunnerTarget extends JsonObject {
  readonly driver: string;
  /** The URL with secrets hidden, for messages. */
  readonly url: string;
}

/** A runner that exists. Data only; may be stored, and used by another process later. */
export interface RunnerHandle extends JsonObject {
  readonly driver: string;
  /** Unique among this driver's runners: the same runner has the same id for every caller. */
  readonly id: string;
  /** What the driver needs to connect again; its own business. Holds paths to credentials, never credentials; those of the URL come with each call, as `secrets`. */
  readonly endpoint: JsonObject;
  /** Whether anyrunner made it. What it did not make it never removes. */
  readonly owned: boolean;
  readonly labels: Readonly<Record<string, string>>;
}

/** What every call of a driver may be given. */
export interface CallOptions {
  /** Cancels the call: it rejects with ABORTED. With a driver from a registry, what the call gave lives on when the signal is aborted later. */
  readonly signal?: AbortSignal | undefined;
  /** Where warnings and progress go. Default: nowhere. */
  readonly report?: Reporter | undefined;
  /**
   * What is secret in the runner's URL: `parse` keeps it out of the target, and a handle has none. Drivers of a registry get it with each call
   * on the very target or handle that came of the URL in this process; whoever calls a driver by itself passes `urlSecrets(url, driver.options)`.
   * Absent where the URL has none, and in a process that has only the handle (`anyrunner stop ID` tomorrow): a driver that can't do without
   * fails with AUTH_FAILED and a hint to name the runner by its URL, or by a name given with `anyrunner add`.
   */
  readonly secrets?: UrlSecrets | undefined;
}

/** What is secret in a runner's URL. */
export interface UrlSecrets {
  /** The password of `user:password@` in the body, decoded: `p%40ss` is `p@ss`. As written where it can't be decoded. */
  readonly password?: string | undefined;
  /** The values of the parameters that the driver's options call `secret`, by name, in their order. */
  readonly options?: Readonly<Record<string, readonly string[]>> | undefined;
}

/** Which runners are listed. */
export interface ListOptions<Target extends RunnerTarget = RunnerTarget> extends CallOptions {
  /** Only what this target could mean, looked for in the place that it names (a namespace, a context). Default: all, where the driver looks by itself. A driver without places may leave it aside. */
  readonly target?: Target | undefined;
}

/** What is awaited of a runner that is found or made. */
export interface ProvisionOptions extends CallOptions {
  /** Resolves when the engine behind `handle` answers; whoever starts an engine awaits it. Default: no check. */
  readonly ready?: ((handle: RunnerHandle, options: CallOptions) => Promise<void>) | undefined;
  /** How long to wait for a runner that is there and on its way, in ms; with 0 one that isn't ready fails at once. Default: the driver's own patience. */
  readonly waitMs?: number | undefined;
}

/** Which part of a log. */
export interface LogsOptions extends CallOptions {
  /** How many of the last lines to begin with. Default 100. */
  readonly tail?: number | undefined;
  /** Go on with what is written from now on. Default false. */
  readonly follow?: boolean | undefined;
}

/** How long an engine may take to shut down where nobody says otherwise, in ms: it allows itself five minutes, and one that is killed before discards its cache. */
export const STOP_GRACE_MS = 600_000;

/** How much time an engine and its sessions have to end. */
export interface StopOptions extends CallOptions {
  /** How long the engine may take to shut down, in ms. Default `STOP_GRACE_MS`. */
  readonly graceMs?: number | undefined;
  /** How long sessions may take to end before that, in ms. 0 asks once: an engine in use, or one that can't say, fails with TIMEOUT. Default: `graceMs`. */
  readonly drainMs?: number | undefined;
}

/** What is removed besides the runner itself. */
export interface DestroyOptions extends CallOptions {
  /** Remove the cache volume, too. Default false. */
  readonly volume?: boolean | undefined;
}

/** Whether a backend can be used here; if not, why, in words for a user. */
export type ProbeResult =
  | { readonly available: true; readonly detail?: string | undefined }
  | {
      readonly available: false;
      /** One sentence, lower-case start, that names the thing. */
      readonly reason: string;
      /** One imperative sentence: what the reader can do. */
      readonly hint?: string | undefined;
      readonly code?: ErrorCode | undefined;
      /** Plain facts for programs; never secrets. */
      readonly details?: JsonObject | undefined;
      /** What failed underneath, untouched. */
      readonly cause?: unknown;
    };

/** One byte stream to the engine, used once. Destroying the stream releases everything that belongs to it. */
export interface RunnerConnection {
  readonly stream: Duplex;
  /**
   * `socket`: the peer of the stream is the engine itself. `relay`: something in between copies bytes (exec, ssh, WebSocket);
   * such a stream acknowledges writes at once, since a relay that is not fully duplex would deadlock HTTP/2 otherwise.
   */
  readonly kind: "socket" | "relay";
  /** Whether this very connection can end its writing side and still read. */
  readonly halfClose: boolean;
  /**
   * Resolves once, when the far end or we have ended the stream for whatever reason; never rejects. It must not wait for a reader: what
   * the far end sent before its end may still lie in the stream unread.
   */
  readonly closed: Promise<CloseReason>;
  /** What is known about the far end, gathered on demand; never throws. */
  diagnostics(options?: CallOptions): Promise<ConnectionDiagnostics>;
}

/**
 * Who ended a connection. The first of these that is true:
 *
 * - `error`: it broke: the network failed, the program behind the stream died or failed, or the stream was destroyed with an error.
 * - `end`: the far end finished in order (the end of its data, exit code 0), even if we destroyed the stream after having read that end.
 * - `local`: we destroyed the stream without an error before the far end had finished.
 */
export interface CloseReason {
  readonly kind: "end" | "local" | "error";
  /** What broke it: present exactly when `kind` is `error`. */
  readonly error?: Error | undefined;
}

/** What is known of the far end of a stream; each fact only where it is known. */
export interface ConnectionDiagnostics {
  /** One sentence about the state of the container, pod or process behind the stream. */
  readonly summary?: string | undefined;
  /** Since when that container, pod or process runs, if it runs; ISO 8601. One that has run for long won't become an engine by waiting. */
  readonly startedAt?: string | undefined;
  /** Of the container or pod if it ended, else of the relay that carried the stream. */
  readonly exitCode?: number | undefined;
  readonly oomKilled?: boolean | undefined;
  /** The end of what the far end wrote to standard error or to its log, at most 4 KiB. */
  readonly lastOutput?: string | undefined;
  /** What the far end was found to be in an engine's stead; trying again won't change it. */
  readonly mismatch?: { readonly message: string; readonly hint: string } | undefined;
}

/** What a runner is doing now. */
export interface RunnerState {
  readonly status: "running" | "starting" | "stopped" | "missing" | "unknown";
  readonly image?: string | undefined;
  /** ISO 8601. */
  readonly startedAt?: string | undefined;
  readonly exitCode?: number | undefined;
  readonly oomKilled?: boolean | undefined;
  /** Anything else worth showing. */
  readonly details?: JsonObject | undefined;
}

/** Takes what happens on the way of a call. */
export type Reporter = (event: RunnerEvent) => void;

/** Something that a user may see while a call goes on. */
export type RunnerEvent =
  /** Something the user should know; `id` is stable, so that it can be shown once. */
  | { readonly type: "warning"; readonly id: string; readonly message: string; readonly hint?: string | undefined }
  /** A step of longer work began, went on or ended; `current` and `total` in `unit`. */
  | {
      readonly type: "progress";
      readonly id: string;
      readonly message: string;
      readonly current?: number | undefined;
      readonly total?: number | undefined;
      readonly unit?: string | undefined;
      readonly done?: boolean | undefined;
    }
  /** A transient failure will be tried again. */
  | { readonly type: "retry"; readonly attempt: number; readonly delayMs: number; readonly message: string };
