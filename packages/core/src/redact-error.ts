import { inspect } from "node:util";

import { redact, redactValue } from "./redact.ts";
import { RunnerError } from "./runner-error.ts";

const DEPTH = 8;

/**
 * The same error, unless a secret shows anywhere in it, its stack, its details and its causes included: then one that says the rest. Of an
 * error that is not ours the message, the stack, the causes and the `code` remain.
 */
export function redactError(error: unknown, secrets: readonly string[]): unknown {
  return secrets.length === 0 || !shows(error, secrets) ? error : copyOf(error, secrets, DEPTH);
}

/** Whether any reader could see a secret in it. */
function shows(error: unknown, secrets: readonly string[]): boolean {
  const text = inspect(error, { depth: DEPTH, maxStringLength: null, maxArrayLength: null });
  // What is inspected of an error is its stack, which says the message as it once was.
  return redact(text, secrets) !== text || (error instanceof Error && redact(error.message, secrets) !== error.message);
}

function copyOf(error: unknown, secrets: readonly string[], depth: number): unknown {
  if (typeof error === "string") return redact(error, secrets);
  if (!(error instanceof Error)) return redact(inspect(error, { depth, maxStringLength: null }), secrets);
  if (depth === 0) return new Error(redact(error.message, secrets));
  const cause = error.cause === undefined ? {} : { cause: copyOf(error.cause, secrets, depth - 1) };
  const copy = sameKind(error, { message: redact(error.message, secrets), secrets, depth, cause });
  const stack = { value: redact(error.stack ?? "", secrets), configurable: true, writable: true };
  return Object.defineProperty(copy, "stack", stack);
}

interface Parts {
  readonly message: string;
  readonly secrets: readonly string[];
  readonly depth: number;
  readonly cause: { readonly cause?: unknown };
}

function sameKind(error: Error, { message, secrets, depth, cause }: Parts): Error {
  if (RunnerError.is(error)) {
    const { code, hint, details, driver, retryable } = error;
    return new RunnerError(code, message, { hint: hint && redact(hint, secrets), details: redactValue(details, secrets), driver, retryable, ...cause });
  }
  const { code, errors } = error as { readonly code?: unknown; readonly errors?: unknown };
  const inner = Array.isArray(errors) ? errors.map((each: unknown) => copyOf(each, secrets, depth - 1)) : undefined;
  const copy = inner === undefined ? new Error(message, cause) : new AggregateError(inner, message, cause);
  if (error.name !== copy.name) Object.defineProperty(copy, "name", { value: redact(error.name, secrets), configurable: true });
  return typeof code === "string" || typeof code === "number" ? Object.assign(copy, { code: redactValue(code, secrets) }) : copy;
}
