import { PassThrough } from "node:stream";

import { ERROR_CODES, RunnerError, type ErrorCode } from "@anyrunner/core";
import { expect, test } from "vitest";

import { exitCodeOf } from "./exit-codes.ts";
import { printError } from "./print-error.ts";

function printed(value: unknown, options: { json?: boolean; env?: Record<string, string> } = {}): string {
  const stderr = new PassThrough();
  printError(value, { json: options.json ?? false, version: "1.2.3", stderr, env: options.env ?? {} });
  return String(stderr.read());
}

test("an expected error is message, hint and where to read more; no stack", () => {
  const error = new RunnerError("NOT_FOUND", "no container named x", { hint: "start it", cause: new Error("inner") });
  expect(printed(error)).toBe("error: no container named x\nhint: start it\ndocs: https://github.com/anyrunner/anyrunner/blob/main/docs/errors.md#not_found\n");
  expect(printed(error, { env: { ANYRUNNER_DEBUG: "1" } })).toContain("caused by: Error: inner");
});

test("each line of a hint is one remedy, below the one before", () => {
  expect(printed(new RunnerError("ABORTED", "x", { hint: "do this\nor that" }))).toBe("error: x\nhint: do this\n      or that\n");
});

test("what nobody expected comes with its stack and a link to report it", () => {
  const text = printed(new TypeError("x is undefined"));
  expect(text).toMatch(/^error: x is undefined\nTypeError: x is undefined\n {4}at /);
  expect(text).toContain("issues/new?title=x%20is%20undefined&body=anyrunner%201.2.3");
});

test("JSON is one line", () => {
  const text = printed(new RunnerError("TIMEOUT", "two\nlines", { details: { a: 1 } }), { json: true });
  expect(text.endsWith("}\n") && text.indexOf("\n") === text.length - 1).toBe(true);
  expect(JSON.parse(text)).toMatchObject({ error: { code: "TIMEOUT", message: "two\nlines", details: { a: 1 } } });
});

test("a driver that fails while it loads: the stack of its own error, as JSON and for ANYRUNNER_DEBUG", () => {
  const error = new RunnerError("DRIVER_INVALID", "x fails while it loads", { cause: new Error("inner") });
  expect(JSON.parse(printed(error, { json: true }))).toMatchObject({ error: { stack: expect.stringMatching(/caused by: Error: inner\n {4}at /) } });
  expect(printed(error, { env: { ANYRUNNER_DEBUG: "1" } })).toMatch(/caused by: Error: inner\n {4}at /);
  const other = new RunnerError("NOT_FOUND", "x", { cause: new Error("inner") });
  expect(printed(other, { json: true })).not.toContain("inner");
  expect(printed(other, { json: true, env: { ANYRUNNER_DEBUG: "1" } })).toContain("inner");
});

test("exit codes", () => {
  const codes = Object.keys(ERROR_CODES) as ErrorCode[];
  const special: Partial<Record<ErrorCode, number>> = { USAGE: 2, ABORTED: 130, INTERNAL: 70 };
  expect(codes.map((code) => [code, exitCodeOf(new RunnerError(code, "x"))])).toEqual(codes.map((code) => [code, special[code] ?? 1]));
  expect(exitCodeOf(new Error("x"))).toBe(70);
});
