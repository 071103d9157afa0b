import fc from "fast-check";
import { expect, test } from "vitest";

import { createScrubber, scrubText } from "./scrub.ts";

test("masks a value wherever the chunks are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(30), { maxLength: 8 }), (cuts) => {
      const text = Buffer.from("say hidden-value and hidden-value-2, hidden");
      const scrubber = createScrubber([Buffer.from("hidden-value"), Buffer.from("hidden-value-2\n")]);
      const places = [...new Set(cuts)].toSorted((a, b) => a - b);
      const out: Buffer[] = [];
      let at = 0;
      for (const place of [...places, text.length]) {
        out.push(scrubber.push(text.subarray(at, place)));
        at = place;
      }
      out.push(scrubber.end());
      expect(Buffer.concat(out).toString()).toBe("say *** and ***, hidden");
    }),
  );
});

test("values of several lines are masked line by line", () => {
  expect(scrubText("a one b two c", [Buffer.from("one\ntwo\n")])).toBe("a *** b *** c");
});

test("without secrets nothing is copied or held", () => {
  const scrubber = createScrubber([]);
  expect(scrubber.push(Buffer.from("abc")).toString()).toBe("abc");
  expect(scrubber.end()).toHaveLength(0);
});
