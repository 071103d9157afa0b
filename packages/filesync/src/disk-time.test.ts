import { lstatSync, utimesSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { diskTime, isSameDiskTime } from "./disk-time.ts";
import { makeTestDirectory } from "./test-tree.ts";

test("a time that was set is the time that was meant", () => {
  const path = join(makeTestDirectory({ file: "" }), "file");
  const times = fc.bigInt({ min: -2_000_000_000_000_000_000n, max: 4_000_000_000_000_000_000n });
  fc.assert(
    fc.property(times, (time) => {
      utimesSync(path, diskTime(time), diskTime(time));
      expect(isSameDiskTime(lstatSync(path, { bigint: true }).mtimeNs, time)).toBe(true);
    }),
  );
});

test("times a microsecond apart are different", () => {
  expect(isSameDiskTime(1_700_000_000_000_000_000n, 1_700_000_000_000_001_000n)).toBe(false);
});
