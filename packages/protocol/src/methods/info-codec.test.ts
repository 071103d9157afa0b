import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { InfoResponseSchema } from "../gen/control_pb.ts";
import { infoCodec } from "./info-codec.ts";

const text = fc.string({ unit: "grapheme" });
const response = fc.record({
  buildkitVersion: fc.option(fc.record({ package: text, version: text, revision: text }), { nil: undefined }),
  systemInfo: fc.option(fc.record({ numCpu: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }) }), { nil: undefined }),
});

describe("infoCodec agrees with the generated messages", () => {
  test("writing", () => {
    fc.assert(
      fc.property(response, (value) => {
        expect(Buffer.from(infoCodec.encodeResponse(value))).toEqual(Buffer.from(toBinary(InfoResponseSchema, create(InfoResponseSchema, value))));
      }),
    );
  });

  test("reading", () => {
    fc.assert(
      fc.property(response, (value) => {
        expect(infoCodec.decodeResponse(toBinary(InfoResponseSchema, create(InfoResponseSchema, value)))).toEqual(value);
      }),
    );
  });

  test("fields that nobody knows yet, and messages in two parts", () => {
    const known = infoCodec.encodeResponse({ buildkitVersion: { package: "p" } });
    const more = infoCodec.encodeResponse({ buildkitVersion: { version: "v" }, systemInfo: { numCpu: 4 } });
    const unknown = Buffer.from("7a0378797a800105", "hex");
    const bytes = Buffer.concat([known, unknown, more]);
    expect(infoCodec.decodeResponse(bytes)).toEqual({ buildkitVersion: { package: "p", version: "v", revision: "" }, systemInfo: { numCpu: 4 } });
    expect(fromBinary(InfoResponseSchema, bytes).buildkitVersion).toMatchObject({ package: "p", version: "v" });
  });

  test("requests are empty", () => {
    expect(infoCodec.encodeRequest({})).toHaveLength(0);
    expect(infoCodec.decodeRequest(Buffer.from("0a0161", "hex"))).toEqual({});
  });
});
