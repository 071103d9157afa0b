import { expect, test } from "vitest";

import { expandVariables } from "./expand.ts";

// Recorded from engine 0.21.8.
test.each([
  ["x${NOPE}y", "xy"],
  ["${NOPE:-def}", ""],
  ["${A:+yes}", ""],
  ["$$A", "A"],
  ["${B}:x", ":x"],
  ["${A", "A"],
  ["${NOPE:-${A}}", "}"],
  ["$A:/x", "1:/x"],
  ["${A}", "1"],
  ["a$", "a$"],
  ["$/", "$/"],
])("%s", (text, expanded) => {
  expect(expandVariables(text, (name) => (name === "A" ? "1" : ""))).toBe(expanded);
});
