import assert from "node:assert/strict";
import { inspect } from "node:util";

import { RunnerError, type ErrorCode } from "@anyrunner/core";

/** What `work` throws or rejects with; fails when it succeeds. */
export async function caught(work: () => Promise<unknown>): Promise<unknown> {
  let result: unknown;
  try {
    result = await work();
  } catch (error) {
    return error;
  }
  throw new Error(`expected an error, got ${JSON.stringify(result)}`);
}

/** Fails with the error itself as text when it is no `RunnerError`. */
export function expectTypedError(error: unknown): RunnerError {
  if (!RunnerError.is(error)) assert.fail(`expected a RunnerError, got ${inspect(error)}`);
  return error;
}

/** Fails, saying all of the error, when it is no `RunnerError` with one of the codes. */
export function expectCode(error: unknown, ...codes: readonly ErrorCode[]): RunnerError {
  const typed = expectTypedError(error);
  if (!codes.includes(typed.code)) assert.fail(`expected ${codes.join(" or ")}, got ${describeError(typed)}`);
  return typed;
}

/** Fails, naming what was looked at, when `value` is none of the `expected`. */
export function expectOneOf<T>(value: T, expected: readonly T[], what: string): void {
  assert.ok(expected.includes(value), `${what} is ${inspect(value)}; expected ${expected.map((one) => inspect(one)).join(" or ")}`);
}

/** Fails without repeating the secret when one of `secrets` shows. */
export function expectHidden(text: string, secrets: Iterable<string>): void {
  for (const secret of secrets) {
    const at = text.indexOf(secret);
    if (at < 0) continue;
    const before = text.slice(Math.max(0, at - 200), at);
    assert.fail(`a secret of ${secret.length} characters shows, after: ${before}`);
  }
}

function describeError({ code, message, hint }: RunnerError): string {
  return `${code}: ${message}${hint === undefined ? "" : ` (${hint})`}`;
}
