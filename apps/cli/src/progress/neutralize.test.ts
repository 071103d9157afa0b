import { expect, test } from "vitest";

import { neutralize } from "./neutralize.ts";

test.each([
  ["\u001b[31mred\u001b[0m", "red"],
  ["a\u001b]0;title\u0007b", "ab"],
  ["a\u001b]8;;http://x\u001b\\b", "ab"],
  ["\u001b[2J\u001b[1;1Hx\ry\bz", "xyz"],
  ["\u009b31mx\u001b", "x"],
  ["tab\tstays, ü too", "tab\tstays, ü too"],
  ["turn\u202eed", "turned"],
])("%j is shown as %j", (text, shown) => {
  expect(neutralize(text)).toBe(shown);
});
