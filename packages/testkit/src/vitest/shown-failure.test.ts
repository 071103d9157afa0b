import { fileURLToPath } from "node:url";

import { RunnerError } from "@anyrunner/core";
import { expect, test } from "vitest";

import { shownFailure } from "./shown-failure.ts";

const SUITE = `    at run (${fileURLToPath(new URL("../conformance/url-cases.ts", import.meta.url))}:1:2)`;

test("two cases that fail at one place of the driver show the same, with the hint and without the suite", () => {
  const fail = (from: string) => {
    const error = new RunnerError("NOT_FOUND", "there is no\nrunner", { hint: "start it" });
    error.stack = `RunnerError: there is no\nrunner\n    at probe (/driver/src/probe.ts:3:4)\n${SUITE}\n    at ${from} (/anywhere.ts:1:1)`;
    return shownFailure(error) as Error;
  };
  expect(fail("one").stack).toBe("RunnerError: there is no\nrunner\nstart it\n    at probe (/driver/src/probe.ts:3:4)");
  expect(fail("other")).toMatchObject({ name: "RunnerError", message: "there is no\nrunner\nstart it", stack: fail("one").stack });
});

test("what the suite found stays as it is, and so does what is no error", () => {
  const error = new TypeError("no");
  error.stack = `TypeError: no\n${SUITE}\n    at other (/driver/src/probe.ts:3:4)`;
  expect(shownFailure(error)).toBe(error);
  expect(shownFailure("thrown")).toBe("thrown");
});
