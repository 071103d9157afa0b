import fc from "fast-check";
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
  ["ma\u061crk", "mark"],
])("%j is shown as %j", (text, shown) => {
  expect(neutralize(text)).toBe(shown);
});

const pieces = fc.array(
  fc.oneof(
    fc.constantFrom(
      "\u001b",
      "\u001b[",
      "\u009b",
      "\u001b]",
      "\u001b\\",
      "\u0007",
      "\u009c",
      "\u009d",
      ";",
      "0",
      "m",
      "H",
      " ",
      "\n",
      "\r",
      "\t",
      "\u061c",
      "\u202e",
      "\u2066",
    ),
    fc.string({ unit: "binary", maxLength: 5 }),
  ),
);

test("nothing that steers a terminal is left, whatever comes (property)", () => {
  fc.assert(
    fc.property(pieces, (parts) => {
      const shown = neutralize(parts.join(""));
      expect(shown).not.toMatch(/(?!\t)[\p{Cc}\p{Bidi_Control}]/u);
      expect(neutralize(shown)).toBe(shown);
    }),
    { numRuns: 1000 },
  );
});

test("text that steers nothing stays as it is (property)", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: "grapheme" }).map((text) => text.replaceAll(/(?!\t)[\p{Cc}\p{Bidi_Control}]/gu, "")),
      (text) => {
        expect(neutralize(text)).toBe(text);
      },
    ),
  );
});
