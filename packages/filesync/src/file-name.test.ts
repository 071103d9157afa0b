import fc from "fast-check";
import { expect, test } from "vitest";
import { bytesOfName, nameOfBytes } from "./file-name.ts";
import { compareNames } from "./path-order.ts";

/** Often nearly UTF-8: whole characters, beginnings of some, and bytes that begin none. */
const bytes = fc
  .array(
    fc.oneof(
      fc.constantFrom("a", "é", "日", "😀", "\ufffd").map((text) => Buffer.from(text)),
      fc.uint8Array({ minLength: 1, maxLength: 2 }).map(Buffer.from),
    ),
    {
      maxLength: 6,
    },
  )
  .map((parts) => Buffer.concat(parts));

test("bytes come back from a name as they were", () => {
  fc.assert(
    fc.property(bytes, (name) => {
      expect(bytesOfName(nameOfBytes(name)).equals(name)).toBe(true);
    }),
  );
});

test("UTF-8 is its text; every other byte is one unit of the name", () => {
  expect(nameOfBytes(Buffer.from("é😀\ufffd"))).toBe("é😀\ufffd");
  expect(nameOfBytes(Buffer.from("61ffe97ac3", "hex"))).toBe("a\udcff\udce9z\udcc3");
  // What would be half of a character beyond U+FFFF is no UTF-8.
  expect(nameOfBytes(Buffer.from("eda080", "hex"))).toBe("\udced\udca0\udc80");
});

test("the order of names is that of their bytes", () => {
  fc.assert(
    fc.property(bytes, bytes, (a, b) => {
      expect(Math.sign(compareNames(nameOfBytes(a), nameOfBytes(b)))).toBe(Buffer.compare(a, b));
    }),
  );
});
