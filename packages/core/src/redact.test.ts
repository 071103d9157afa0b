import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { redact } from "./redact.ts";

describe("redact", () => {
  test.each<[string, readonly string[], string]>([
    ["login with hunter2 failed", ["hunter2"], "login with *** failed"],
    ["abcabc", ["abc"], "******"],
    ["hunter22 hunter2", ["hunter2", "hunter22"], "*** ***"],
    ["abcdef", ["abcd", "cdef"], "***"],
    ["aaaa", ["aaa"], "***"],
    ["xx yes", ["xx", "", "y"], "xx yes"],
    ["a.b a+b", ["a.b"], "*** a+b"],
    ["$& $1", ["$& "], "***$1"],
    ["nothing", [], "nothing"],
  ])("%j without %j is %j", (text, secrets, expected) => {
    expect(redact(text, secrets)).toBe(expected);
  });

  test("leaves no secret in any text, and leaves the rest as it was", () => {
    const secret = fc.stringMatching(/^[ab]{3,6}$/);
    fc.assert(
      fc.property(fc.stringMatching(/^[abcx ]{0,40}$/), fc.array(secret, { maxLength: 4 }), (text, secrets) => {
        const shown = redact(text, secrets);
        for (const value of secrets) expect(shown).not.toContain(value);
        for (const rest of shown.split("***")) expect(text).toContain(rest);
      }),
      { numRuns: 1000 },
    );
  });

  test("changes nothing in a text that holds no secret", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.array(fc.stringMatching(/^Zq7Z.{0,3}$/)), (text, secrets) => {
        expect(redact(text, secrets)).toBe(text);
      }),
    );
  });
});
