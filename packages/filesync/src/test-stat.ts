import fc from "fast-check";
import { fileStat, type FileStat } from "./file-stat.ts";

/** Any stat that a message can carry. */
export function anyStat(): fc.Arbitrary<FileStat> {
  return fc
    .record({
      path: fc.string({ unit: "grapheme" }),
      mode: fc.integer({ min: 0, max: 0xffffffff }),
      uid: fc.integer({ min: 0, max: 0xffffffff }),
      gid: fc.integer({ min: 0, max: 0xffffffff }),
      size: fc.maxSafeNat(),
      modTimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      linkname: fc.oneof(fc.constant(""), fc.string({ unit: "grapheme", maxLength: 200 })),
      devmajor: fc.maxSafeInteger(),
      devminor: fc.maxSafeInteger(),
      gitIgnored: fc.boolean(),
      xattrs: fc
        .array(
          fc.tuple(
            fc.string(),
            fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
          ),
        )
        .map((entries) => new Map(entries)),
    })
    .map(fileStat);
}
