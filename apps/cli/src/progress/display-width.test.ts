import fc from "fast-check";
import { expect, test } from "vitest";

import { displayWidth, fitWidth } from "./display-width.ts";
import { neutralize } from "./neutralize.ts";
import { createTestTerminal } from "./test-terminal.ts";

test.each([
  ["abc", 3],
  ["日本", 4],
  ["e\u0301", 1],
  ["🚀", 2],
  ["☀\ufe0f", 2],
  ["ｶ한", 3],
])("%j takes %d columns", (text, width) => {
  expect(displayWidth(text)).toBe(width);
});

test.each([
  ["abcdef", 6, "abcdef"],
  ["abcdef", 5, "abcd…"],
  ["日本語", 5, "日本…"],
  ["日本語", 4, "日…"],
  ["👩\u200d🚀!!", 4, "👩…"],
  ["abc", 0, ""],
  ["abc", 1, "…"],
])("%j in %d columns is %j", (text, width, fitted) => {
  expect(fitWidth(text, width)).toBe(fitted);
});

const text = fc.string({ unit: "grapheme" }).map((value) => neutralize(value).replaceAll("\t", " "));

test("no text is wider than it is said to be (property)", async () => {
  await fc.assert(
    fc.asyncProperty(text, async (value) => {
      const terminal = createTestTerminal(200, 5);
      await terminal.write(value);
      expect(terminal.cursor().row).toBe(0);
      expect(terminal.cursor().column).toBeLessThanOrEqual(displayWidth(value));
    }),
  );
});

test("what is made to fit does, and is the text or a beginning of it (property)", () => {
  fc.assert(
    fc.property(text, fc.integer({ min: 0, max: 30 }), (value, width) => {
      const fitted = fitWidth(value, width);
      expect(displayWidth(fitted)).toBeLessThanOrEqual(width);
      if (displayWidth(value) <= width) expect(fitted).toBe(value);
      else expect(value.startsWith(fitted.slice(0, -1))).toBe(true);
    }),
  );
});
