import { cp, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { ERROR_CODES, type ErrorCode } from "./error-codes.ts";
import { abortedError, RunnerError, runnerErrorFromJson, throwIfAborted } from "./runner-error.ts";

describe("RunnerError", () => {
  test("has name, message, cause and fields, and shows neither name nor brand among its own keys", () => {
    const cause = new Error("ECONNREFUSED");
    const error = new RunnerError("CONNECTION_REFUSED", "nothing listens", { hint: "start it", cause, details: { port: 1 }, driver: "tcp", retryable: true });
    expect(error).toMatchObject({
      name: "RunnerError",
      code: "CONNECTION_REFUSED",
      message: "nothing listens",
      hint: "start it",
      cause,
      driver: "tcp",
      retryable: true,
    });
    expect(error).toBeInstanceOf(Error);
    expect(Object.keys(error)).not.toContain("name");
    expect(Object.getOwnPropertySymbols(error).filter((symbol) => Object.prototype.propertyIsEnumerable.call(error, symbol))).toEqual([]);
    expect(error.stack).toMatch(/^RunnerError: nothing listens/);
  });

  test("without options it has no cause at all and is not retryable", () => {
    const error = new RunnerError("INTERNAL", "x");
    expect("cause" in error).toBe(false);
    expect(error).toMatchObject({ hint: undefined, details: undefined, driver: undefined, retryable: false });
  });

  test("is known across two copies of the module, where instanceof fails", async () => {
    const folder = await mkdtemp(join(tmpdir(), "second-core-"));
    try {
      await cp(import.meta.dirname, folder, { recursive: true, filter: (source) => !source.endsWith(".test.ts") });
      const copy = (await import(/* @vite-ignore */ pathToFileURL(join(folder, "runner-error.ts")).href)) as { RunnerError: typeof RunnerError };
      const foreign = new copy.RunnerError("NOT_FOUND", "no such pod");
      expect(foreign.constructor).not.toBe(RunnerError);
      expect(RunnerError.is(foreign)).toBe(true);
      expect(copy.RunnerError.is(new RunnerError("INTERNAL", "x"))).toBe(true);
      expect(RunnerError.from(foreign, "INTERNAL")).toBe(foreign);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  test.each([undefined, null, 1, "RunnerError", {}, new Error("x"), { code: "INTERNAL", name: "RunnerError" }, Object.create(null)])("%# is none", (value) => {
    expect(RunnerError.is(value)).toBe(false);
  });
});

describe("RunnerError.from", () => {
  test("keeps ours, wraps the rest with its cause", () => {
    const cause = new Error("boom");
    expect(RunnerError.from(cause, "TLS_FAILED", { hint: "check", driver: "tls" })).toMatchObject({
      code: "TLS_FAILED",
      message: "boom",
      cause,
      hint: "check",
      driver: "tls",
    });
    expect(RunnerError.from("text", "INTERNAL")).toMatchObject({ message: "text", cause: "text" });
  });

  test("is ABORTED for a foreign error of an aborted call", () => {
    const reason = new Error("enough");
    expect(RunnerError.from(new Error("socket closed"), "CONNECTION_LOST", { signal: AbortSignal.abort(reason) })).toMatchObject({
      code: "ABORTED",
      cause: reason,
    });
    expect(RunnerError.from(new Error("socket closed"), "CONNECTION_LOST", { signal: new AbortController().signal })).toMatchObject({
      code: "CONNECTION_LOST",
    });
  });

  test("makes an error of anything that can be thrown", () => {
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true, withBigInt: true, withDate: true, withMap: true }), (value) => {
        const error = RunnerError.from(value, "INTERNAL");
        expect(RunnerError.is(error)).toBe(true);
        expect(error.message).toBeTypeOf("string");
      }),
    );
  });
});

describe("toJSON and runnerErrorFromJson", () => {
  test("leave out what is not there", () => {
    expect(JSON.parse(JSON.stringify(new RunnerError("INTERNAL", "x")))).toEqual({ code: "INTERNAL", message: "x", retryable: false });
  });

  test("are each other's inverse, but for the cause", () => {
    const code = fc.constantFrom(...(Object.keys(ERROR_CODES) as ErrorCode[]));
    const options = fc.record(
      { hint: fc.string(), driver: fc.string(), retryable: fc.boolean(), details: fc.dictionary(fc.string(), fc.jsonValue()) },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(code, fc.string(), options, (name, message, rest) => {
        const json = JSON.parse(JSON.stringify(new RunnerError(name, message, { ...(rest as object), cause: new Error("hidden") })));
        expect(JSON.parse(JSON.stringify(runnerErrorFromJson(json)))).toEqual(json);
      }),
    );
  });

  test("an unknown code of another process becomes INTERNAL; odd fields are dropped", () => {
    expect(runnerErrorFromJson({ code: "NEWER_CODE", message: "x", hint: 3, details: [1], retryable: "yes" })).toMatchObject({
      code: "INTERNAL",
      message: "x",
      hint: undefined,
      details: undefined,
      retryable: false,
    });
    expect(runnerErrorFromJson({})).toMatchObject({ code: "INTERNAL", message: "no message" });
  });
});

test("an abort keeps its reason; a typed reason is the error itself", () => {
  const reason = new Error("enough");
  expect(abortedError(AbortSignal.abort(reason))).toMatchObject({ code: "ABORTED", cause: reason });
  const budget = new RunnerError("TIMEOUT", "the budget ran out");
  expect(abortedError(AbortSignal.abort(budget))).toBe(budget);
  expect(() => throwIfAborted(AbortSignal.abort())).toThrow(expect.objectContaining({ code: "ABORTED" }));
  expect(() => throwIfAborted(new AbortController().signal)).not.toThrow();
  expect(() => throwIfAborted(undefined)).not.toThrow();
});
