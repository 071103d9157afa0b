import { inspect } from "node:util";

import { RunnerError } from "@anyrunner/core";
import { expect } from "vitest";

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
export function expectTypedError(error: unknown): void {
  expect(RunnerError.is(error) ? "RunnerError" : inspect(error)).toBe("RunnerError");
}
