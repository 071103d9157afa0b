import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { metadataHeaders, readGrpcMetadata } from "./metadata.ts";
import { decodeStatusMessage, encodeStatusMessage } from "./status-message.ts";
import { GrpcError, GrpcStatus, parseGrpcStatus } from "./status.ts";
import { formatGrpcTimeout, parseGrpcTimeout } from "./timeout-header.ts";

describe("grpc-message", () => {
  test.each([
    ["stat path: lstat /demo/.git: no such file", "stat path: lstat /demo/.git: no such file"],
    ["100%", "100%25"],
    ["zwölf\n", "zw%C3%B6lf%0A"],
  ])("%j", (message, coded) => {
    expect(encodeStatusMessage(message)).toBe(coded);
    expect(decodeStatusMessage(coded)).toBe(message);
  });

  test("every text survives, as printable ASCII", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (message) => {
        const coded = encodeStatusMessage(message);
        expect(coded).toMatch(/^[ -~]*$/);
        expect(decodeStatusMessage(coded)).toBe(message);
      }),
    );
  });

  test("what is no code stays", () => {
    expect(decodeStatusMessage("50% of %zz")).toBe("50% of %zz");
  });
});

describe("grpc-timeout", () => {
  test.each([
    ["599947m", 599_947],
    ["10S", 10_000],
    ["2M", 120_000],
    ["1H", 3_600_000],
    ["5000u", 5],
    ["123456789m", undefined],
    ["5", undefined],
    ["x", undefined],
    [undefined, undefined],
  ])("%s is %s ms", (header, ms) => expect(parseGrpcTimeout(header)).toBe(ms));

  test("never gives less time than asked for, in eight digits", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e14, noNaN: true }), (ms) => {
        const header = formatGrpcTimeout(ms);
        expect(header).toMatch(/^\d{1,8}[HMSmun]$/);
        expect(parseGrpcTimeout(header)).toBeGreaterThanOrEqual(Math.floor(ms));
      }),
    );
  });
});

describe("metadata", () => {
  test("repeated values stay apart, even with commas", () => {
    const metadata = readGrpcMetadata([":path", "/x", "include-patterns", "a,b", "include-patterns", "c", "dir-name", "."]);
    expect(metadata.getAll("include-patterns")).toEqual(["a,b", "c"]);
    expect(metadata.get("Dir-Name")).toBe(".");
    expect(metadata.get("absent")).toBeUndefined();
    expect([...metadata].map(([name]) => name)).not.toContain(":path");
  });

  test("a caller can't overwrite the protocol's own headers", () => {
    expect(metadataHeaders({ ":path": "/y", "grpc-timeout": "1S", "Content-Type": "text/plain", te: "x", Traceparent: "t", many: ["a", "b"] })).toEqual({
      traceparent: "t",
      many: ["a", "b"],
    });
  });
});

describe("GrpcError", () => {
  test("is known by its brand", () => {
    const error = new GrpcError(GrpcStatus.NOT_FOUND, "no such file");
    expect(GrpcError.is(error)).toBe(true);
    expect(GrpcError.is(error, GrpcStatus.NOT_FOUND)).toBe(true);
    expect(GrpcError.is(error, GrpcStatus.INTERNAL)).toBe(false);
    expect(GrpcError.is(new Error("x"))).toBe(false);
    expect(error).toMatchObject({ name: "GrpcError", status: 5, statusName: "NOT_FOUND" });
  });

  test.each([
    ["0", 0],
    ["5", 5],
    ["16", 16],
    ["17", 2],
    ["", 2],
    ["-1", 2],
  ])("status %j is %i", (text, status) => expect(parseGrpcStatus(text)).toBe(status));
});
