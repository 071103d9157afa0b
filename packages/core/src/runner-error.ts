import { inspect } from "node:util";

import { isErrorCode, type ErrorCode } from "./error-codes.ts";
import type { JsonObject } from "./json.ts";

const BRAND = Symbol.for("anyrunner.RunnerError");

/** What an error says besides its code and its sentence. */
export interface RunnerErrorOptions {
  /** One imperative sentence: what the reader can do. */
  readonly hint?: string | undefined;
  /** The error as the library or daemon gave it, untouched. */
  readonly cause?: unknown;
  /** Plain facts for programs; never secrets. */
  readonly details?: JsonObject | undefined;
  /** Name of the driver that classified the failure. */
  readonly driver?: string | undefined;
  /** Whether trying again can help without anyone changing anything. Default false. */
  readonly retryable?: boolean | undefined;
}

/**
 * The one error class of anyrunner. Its identity is a registered symbol, so two copies of this package
 * recognise each other's errors: test with `RunnerError.is`, never with `instanceof`.
 */
export class RunnerError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: JsonObject | undefined;
  readonly driver: string | undefined;
  readonly retryable: boolean;

  constructor(code: ErrorCode, message: string, options: RunnerErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint;
    this.details = options.details;
    this.driver = options.driver;
    this.retryable = options.retryable ?? false;
    Object.defineProperty(this, BRAND, { value: true });
  }

  static is(value: unknown): value is RunnerError {
    return typeof value === "object" && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
  }

  /** The value itself when it is ours already, ABORTED for an abort of `signal`, else `code` with the value as cause. */
  static from(value: unknown, code: ErrorCode, options: RunnerErrorOptions & { readonly signal?: AbortSignal | undefined } = {}): RunnerError {
    if (RunnerError.is(value)) return value;
    const { signal, ...rest } = options;
    if (signal?.aborted) return abortedError(signal);
    return new RunnerError(code, messageOf(value), { cause: value, ...rest });
  }

  toJSON(): JsonObject {
    return {
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.driver === undefined ? {} : { driver: this.driver }),
      ...(this.details === undefined ? {} : { details: this.details }),
      retryable: this.retryable,
    };
  }
}

Object.defineProperty(RunnerError.prototype, "name", { value: "RunnerError", configurable: true });

/** Rebuilds an error that crossed a process boundary as `toJSON` wrote it; an unknown code becomes INTERNAL. */
export function runnerErrorFromJson(value: JsonObject): RunnerError {
  const text = (key: string) => (typeof value[key] === "string" ? value[key] : undefined);
  const code = text("code");
  return new RunnerError(isErrorCode(code) ? code : "INTERNAL", text("message") ?? "no message", {
    hint: text("hint"),
    driver: text("driver"),
    retryable: value["retryable"] === true,
    details: isObject(value["details"]) ? value["details"] : undefined,
  });
}

/** The error with which everything rejects that `signal` has cancelled. */
export function abortedError(signal: AbortSignal): RunnerError {
  if (RunnerError.is(signal.reason)) return signal.reason;
  return new RunnerError("ABORTED", CANCELLED, { cause: signal.reason });
}

/** Whether an error says no more than that `signal` was aborted. */
export function saysOnlyAborted(error: unknown, signal: AbortSignal): boolean {
  if (!signal.aborted) return false;
  if (!RunnerError.is(error)) return error === signal.reason || (error instanceof Error && error.name === "AbortError");
  return error.code === "ABORTED" && (error === signal.reason || error.message === CANCELLED);
}

const CANCELLED = "cancelled by the caller";

/** Throws ABORTED when `signal` is aborted already. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(signal);
}

function messageOf(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "string" ? value : inspect(value);
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
