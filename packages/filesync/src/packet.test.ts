import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileStat } from "./file-stat.ts";
import { FilesyncError } from "./filesync-error.ts";
import { decodePacket, encodeDataHeader, encodePacket, type Packet } from "./packet.ts";
import { decodeStat, encodeStat } from "./stat-codec.ts";
import { anyStat } from "./test-stat.ts";

const MOD_TIME = 1_700_000_000_000_000_000n;

/** Vectors of the protocol's description, section 12.3. */
const VECTORS: readonly (readonly [name: string, hex: string, packet: Packet])[] = [
  [
    "a file",
    "12160a05612e74787410a4032803308080a8b1e39fe7cb17",
    { type: "stat", stat: fileStat({ path: "a.txt", mode: 0o644, size: 3, modTimeNs: MOD_TIME }) },
  ],
  ["a directory", "12150a0373756210ed83808008308080a8b1e39fe7cb17", { type: "stat", stat: fileStat({ path: "sub", mode: 2147484141, modTimeNs: MOD_TIME }) }],
  [
    "a symbolic link",
    "121c0a026c6e10ff8380402805308080a8b1e39fe7cb173a05612e747874",
    { type: "stat", stat: fileStat({ path: "ln", mode: 134218239, size: 5, modTimeNs: MOD_TIME, linkname: "a.txt" }) },
  ],
  ["the end of the listing", "", { type: "stat", stat: undefined }],
  ["a request", "08011803", { type: "request", id: 3 }],
  ["content", "080218032203616263", { type: "data", id: 3, data: Buffer.from("abc") }],
  ["the end of a content", "08021803", { type: "data", id: 3, data: Buffer.alloc(0) }],
  ["a request for the first entry", "0801", { type: "request", id: 0 }],
  ["the end of the first entry's content", "0802", { type: "data", id: 0, data: Buffer.alloc(0) }],
  ["a finish", "0803", { type: "finish" }],
  ["an error", "08042204626f6f6d", { type: "error", message: "boom" }],
];

function anyPacket(): fc.Arbitrary<Packet> {
  const id = fc.integer({ min: 0, max: 0xffffffff });
  return fc.oneof(
    fc.record({ type: fc.constant("stat" as const), stat: fc.oneof(fc.constant(undefined), anyStat()) }),
    fc.record({ type: fc.constant("request" as const), id }),
    fc.record({ type: fc.constant("data" as const), id, data: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) }),
    fc.record({ type: fc.constant("finish" as const) }),
    fc.record({ type: fc.constant("error" as const), message: fc.string({ unit: "grapheme" }) }),
  );
}

describe("packets", () => {
  test.each(VECTORS)("%s is encoded as the protocol says", (_, hex, packet) => {
    expect(encodePacket(packet).toString("hex")).toBe(hex);
  });

  test.each(VECTORS)("%s is decoded", (_, hex, packet) => {
    expect(decodePacket(Buffer.from(hex, "hex"))).toEqual(packet);
  });

  test("any packet survives the way there and back", () => {
    fc.assert(
      fc.property(anyPacket(), (packet) => {
        expect(decodePacket(encodePacket(packet))).toEqual(packet);
      }),
    );
  });

  test("any bare stat survives the way there and back", () => {
    fc.assert(
      fc.property(anyStat(), (stat) => {
        expect(decodeStat(encodeStat(stat))).toEqual(stat);
      }),
    );
  });

  test("a data header and its content are one packet", () => {
    const parts = Buffer.concat([encodeDataHeader(7, 70_000), Buffer.alloc(70_000, 1)]);
    expect(decodePacket(parts)).toEqual({ type: "data", id: 7, data: Buffer.alloc(70_000, 1) });
  });

  test("content is a view, not a copy", () => {
    const bytes = encodePacket({ type: "data", id: 1, data: Buffer.from("abc") });
    const packet = decodePacket(bytes);
    bytes.fill(0x7a, bytes.length - 3);
    expect(packet).toMatchObject({ data: Buffer.from("zzz") });
  });

  test("fields of later versions are passed over", () => {
    const unknown = Buffer.from("78e707" + "7a03616263" + "7d01020304" + "790102030405060708", "hex");
    expect(decodePacket(Buffer.concat([unknown, Buffer.from("08011803", "hex"), unknown]))).toEqual({ type: "request", id: 3 });
  });
});

describe("bytes that are no packet", () => {
  test.each([
    ["a number without an end", "08ffffffffffffffffffff01"],
    ["a number that breaks off", "0880"],
    ["content longer than the message", "080222ff01aa"],
    ["an impossible length", "0802 22 ffffffffffffffffff01".replaceAll(" ", "")],
    ["field number zero", "0001"],
    ["a group", "0b0c"],
    ["a packet type that nobody knows", "0807"],
    ["a size below zero", "120b28ffffffffffffffffff01"],
    ["a size beyond 2^53", "120a28ffffffffffffff7f00"],
  ])("%s is refused as malformed", (_, hex) => {
    expect(() => decodePacket(Buffer.from(hex, "hex"))).toThrow(expect.objectContaining({ reason: "malformed" }));
  });

  test("random bytes decode or fail typed", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          decodePacket(bytes);
        } catch (error) {
          expect(FilesyncError.is(error) && error.reason).toBe("malformed");
        }
      }),
      { numRuns: 2_000 },
    );
  });

  test("packets with flipped bits decode or fail typed", () => {
    fc.assert(
      fc.property(anyPacket(), fc.nat(), fc.integer({ min: 1, max: 255 }), (packet, where, flip) => {
        const bytes = Buffer.from(encodePacket(packet));
        if (bytes.length === 0) return;
        bytes[where % bytes.length]! ^= flip;
        try {
          decodePacket(bytes);
        } catch (error) {
          expect(FilesyncError.is(error)).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
