import { expect, test } from "vitest";

import { isForegroundBy } from "./is-foreground.ts";

test.each([
  ["10 (node) S 9 10 9 34816 10 4194304", true],
  ["10 (no) de) S 9 10 9 34816 9 4194304", false],
  ["10 (node) S 9 10 10 0 -1 4194304", true],
])("%s: %s", (stat, expected) => {
  expect(isForegroundBy(stat)).toBe(expected);
});
