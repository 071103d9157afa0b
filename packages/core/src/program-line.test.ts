import fc from "fast-check";
import { expect, test } from "vitest";

import { DRIVER_VERBS, type DriverVerb } from "./protocol-messages.ts";
import { MAX_LINE_BYTES, parseProgramLine } from "./program-line.ts";

const parse = (verb: DriverVerb, value: unknown) => parseProgramLine(verb, Buffer.from(typeof value === "string" ? value : JSON.stringify(value)));

const handle = { id: "one", endpoint: { path: "/x" }, owned: false };
const driver = { specVersion: 1, name: "foo", schemes: ["foo"], capabilities: ["half-close"], options: [{ name: "a", type: "string", help: "A." }] };

test.each<[DriverVerb, unknown]>([
  ["describe", { protocol: 1, driver }],
  ["describe", { protocol: 1, driver: { ...driver, version: "2.1.0" }, more: "of a later version" }],
  ["parse", { target: { anything: [1, { deep: null }] } }],
  ["probe", { available: true }],
  ["probe", { available: false, reason: "no socat", code: "NOT_AVAILABLE" }],
  ["provision", { handle, started: true }],
  ["connect", { via: "stdio" }],
  ["connect", { via: "unix", path: "/run/x.sock", kind: "socket" }],
  ["connect", { via: "loopback", port: 1234, token: "0123456789abcdef" }],
  ["inspect", { status: "stopped", exitCode: 137, oomKilled: true }],
  ["logs", {}],
  ["stop", {}],
  ["list", { handles: [handle, { ...handle, labels: { a: "b" } }] }],
])("%s: the result %j", (verb, result) => {
  expect(parse(verb, { result })).toEqual({ kind: "result", result });
});

test("errors and events", () => {
  const error = { code: "NOT_FOUND", message: "no such runner", hint: "list them" };
  expect(parse("probe", { error })).toEqual({ kind: "error", error });
  const event = { type: "progress", id: "pull", message: "pulling", current: 1, total: 2 };
  expect(parse("provision", { event })).toEqual({ kind: "event", event });
});

test.each<[DriverVerb, unknown, string]>([
  ["probe", "garbage", "is no JSON"],
  ["probe", "", "is no JSON"],
  ["probe", "[]", "is no JSON object"],
  ["probe", "null", "is no JSON object"],
  ["probe", {}, 'is not one of {"result": …}, {"error": …} and {"event": …}'],
  ["probe", { result: {}, error: {} }, 'is not one of {"result": …}, {"error": …} and {"event": …}'],
  ["probe", { result: {} }, "breaks the protocol: result has none of the allowed forms"],
  ["probe", { result: { available: false } }, "breaks the protocol: result.reason is missing"],
  ["probe", { error: { code: "NO_SUCH_CODE", message: "x" } }, "has the error code NO_SUCH_CODE, which is not of the closed list"],
  ["probe", { error: { code: "toString", message: "x" } }, "has the error code that it gives, which is not of the closed list"],
  ["probe", { error: { code: "NOT_FOUND" } }, "breaks the protocol: error.message is missing"],
  ["provision", { result: { handle: { ...handle, id: "" } } }, "breaks the protocol: result.handle.id is empty"],
  ["provision", { result: { handle: { ...handle, labels: { a: 1 } } } }, "breaks the protocol: result.handle.labels.a is no text"],
  ["connect", { result: { via: "unix", path: "relative" } }, "breaks the protocol: result.path is not of the form ^/"],
  ["connect", { result: { via: "loopback", port: 0, token: "0123456789abcdef" } }, "breaks the protocol: result.port is not between 1 and 65535"],
  ["connect", { result: { via: "loopback", port: 1, token: "short" } }, "breaks the protocol: result.token is not of the form ^[!-~]{16,256}$"],
  ["connect", { result: { via: "carrier pigeon" } }, "breaks the protocol: result has none of the allowed forms"],
  ["list", { result: { handles: [handle, 7] } }, "breaks the protocol: result.handles[1] is no object"],
  ["describe", { result: { protocol: 1, driver: { ...driver, schemes: [] } } }, "breaks the protocol: result.driver.schemes has fewer than 1 items"],
  ["inspect", { result: { status: "fine" } }, "breaks the protocol: result.status is none of running, starting, stopped, missing, unknown"],
])("%s: the line %j is refused: it %s", (verb, line, problem) => {
  expect(parse(verb, line)).toEqual({ kind: "problem", problem });
});

test("another version is told apart, whatever else the line says", () => {
  expect(parse("describe", { result: { protocol: 2 } })).toMatchObject({ kind: "problem", isVersion: true, problem: expect.stringContaining("version 2") });
  expect(parse("describe", { result: { protocol: 1, driver: { specVersion: 3 } } })).toMatchObject({
    isVersion: true,
    problem: expect.stringContaining("specVersion 3"),
  });
});

test("what is not UTF-8, too long or too deep is refused without being looked at further", () => {
  expect(parseProgramLine("probe", Uint8Array.of(0x7b, 0xff, 0x7d))).toEqual({ kind: "problem", problem: "is not UTF-8" });
  expect(parseProgramLine("probe", new Uint8Array(MAX_LINE_BYTES + 1))).toMatchObject({ problem: expect.stringContaining("longer than") });
  const deep = `{"result":{"target":${'{"a":'.repeat(100_000)}1${"}".repeat(100_000)}}}`;
  expect(parse("parse", deep)).toEqual({ kind: "problem", problem: "is nested deeper than 32 levels" });
});

test("names that objects inherit are names like any other", () => {
  const line = '{"result":{"target":{"__proto__":{"x":1},"constructor":1,"hasOwnProperty":2}}}';
  expect(parse("parse", line)).toMatchObject({ kind: "result" });
  expect(parse("probe", '{"__proto__":{"result":{"available":true}}}')).toMatchObject({ kind: "problem" });
  expect(({} as { x?: number }).x).toBeUndefined();
});

// ANYRUNNER_TEST_SEED repeats a run; the report of a failure names its seed.
const seed = process.env["ANYRUNNER_TEST_SEED"];
const RUNS = { numRuns: 100_000, ...(seed === undefined ? {} : { seed: Number(seed) }) };

test("any bytes, and lines that nearly fit, give one of the four kinds; 100,000 cases", () => {
  const valid: readonly Buffer[] = [
    { result: { protocol: 1, driver } },
    { result: { handle, started: true } },
    { result: { via: "loopback", port: 1234, token: "0123456789abcdef" } },
    { result: { handles: [handle] } },
    { result: { available: false, reason: "no" } },
    { error: { code: "NOT_FOUND", message: "gone", details: { a: [1] } } },
    { event: { type: "warning", id: "a", message: "b" } },
  ].map((line) => Buffer.from(JSON.stringify(line)));
  const damaged = fc.tuple(fc.constantFrom(...valid), fc.nat(), fc.integer({ min: 0, max: 255 }), fc.nat(12)).map(([line, at, byte, cut]) => {
    const place = at % line.length;
    return Buffer.concat([line.subarray(0, place), Buffer.of(byte), line.subarray(place + cut)]);
  });
  const shaped = fc
    .tuple(fc.constantFrom("result", "error", "event", "__proto__", "x"), fc.jsonValue({ maxDepth: 3 }))
    .map(([keyword, value]) => Buffer.from(`{${JSON.stringify(keyword)}:${JSON.stringify(value)}}`));
  const lines = fc.oneof({ arbitrary: damaged, weight: 4 }, { arbitrary: shaped, weight: 1 }, { arbitrary: fc.uint8Array({ maxLength: 24 }), weight: 1 });
  fc.assert(
    fc.property(fc.constantFrom(...DRIVER_VERBS), lines, (verb, line) => {
      const parsed = parseProgramLine(verb, line);
      if (parsed.kind === "problem") return parsed.problem.length > 0 && parsed.problem.length < 300;
      const document = JSON.parse(Buffer.from(line).toString("utf8")) as Record<string, unknown>;
      const [value] = ["result", "error", "event"].map((name) => document[name]).filter((found) => found !== undefined);
      return typeof value === "object" && value !== null;
    }),
    RUNS,
  );
});
