import fc from "fast-check";
import { fileStat, type FileStat } from "./file-stat.ts";

/** Texts of every length whose prefix takes one, two or three bytes. */
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.tuple(fc.constantFrom("a", "é", "😀"), fc.constantFrom(42, 127, 128, 129, 255, 300, 16_384)).map(([character, times]) => `<${character.repeat(times)}>`),
);

/** Any stat that a message can carry. */
export function anyStat(): fc.Arbitrary<FileStat> {
  return fc
    .record({
      path: text,
      mode: fc.integer({ min: 0, max: 0xffffffff }),
      uid: fc.integer({ min: 0, max: 0xffffffff }),
      gid: fc.integer({ min: 0, max: 0xffffffff }),
      size: fc.maxSafeNat(),
      modTimeNs: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      linkname: fc.oneof(fc.constant(""), text),
      devmajor: fc.maxSafeInteger(),
      devminor: fc.maxSafeInteger(),
      gitIgnored: fc.boolean(),
      xattrs: fc
        .array(
          fc.tuple(
            text,
            fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
          ),
        )
        .map((entries) => new Map(entries)),
    })
    .map(fileStat);
}
