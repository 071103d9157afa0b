import fc from "fast-check";
import { expect, test } from "vitest";

import { wrapText } from "./wrap-text.ts";

test("lines end between words; one that is too long stays whole", () => {
  expect(wrapText("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrapText("a https://example.com/x b", 5)).toEqual(["a", "https://example.com/x", "b"]);
  expect(wrapText("", 5)).toEqual([""]);
});

test("no word is lost, and no line with two of them is too long", () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }), fc.integer({ min: 1, max: 40 }), (words, width) => {
      const lines = wrapText(words.join(" "), width);
      expect(lines.join(" ")).toBe(words.join(" "));
      for (const line of lines) expect(line.includes(" ") ? line.length : 0).toBeLessThanOrEqual(width);
    }),
  );
});
