import { expect, test } from "vitest";

import { parseDuration } from "./parse-duration.ts";

test.each([
  ["10s", 10_000],
  ["1m30s", 90_000],
  ["500ms", 500],
  ["1.5h", 5_400_000],
  ["0s", 0],
  ["3", 3000],
])("%s", (text, ms) => {
  expect(parseDuration(text, "--x")).toBe(ms);
});

test.each(["", "s", "10x", "-1s", "1s ", "1s2"])("%j is refused", (text) => {
  expect(() => parseDuration(text, "--x")).toThrowError(expect.objectContaining({ code: "USAGE", message: expect.stringContaining("--x") }));
});
