import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { caught, expectTypedError } from "./caught.ts";
import { digestOf, readDigest, readText, unevenPieces, writeAll } from "./conversation.ts";
import type { DriverSuite } from "./driver-suite.ts";
import { numberLines } from "./number-lines.ts";
import { openTarget, type OpenTarget } from "./open-target.ts";
import { settledValue } from "./settled-value.ts";
import { testBudgetMs } from "./within-budget.ts";

const MIB = 1024 * 1024;
const IN_FLIGHT_LIMIT_BYTES = 32 * MIB;

/** The connection: bytes both ways, back-pressure, and every way in which it ends. */
export function testStream(suite: DriverSuite): void {
  describe("stream", () => {
    let open: OpenTarget;
    beforeAll(async () => {
      open = await openTarget(suite);
    }, testBudgetMs(suite));
    afterAll(async () => {
      await open?.[Symbol.asyncDispose]();
    });

    test("carries 8 MiB both ways at once, in pieces of every size", async () => {
      const { stream, closed } = await open.connect("ECHO");
      const expected = digestOf(numberLines(8 * MIB));
      const [, received] = await Promise.all([writeAll(stream, unevenPieces(numberLines(8 * MIB))), readDigest(stream, 8 * MIB)]);
      expect(received).toEqual(expected);
      stream.destroy();
      await closed("after its stream was destroyed");
    });

    test("delivers what the peer sent before its end to a reader that comes late, and then tells the end", async () => {
      const { stream, closed } = await open.connect(`SOURCE ${2 * MIB}`);
      await settledValue(() => stream.readableLength);
      expect(await readDigest(stream)).toEqual(digestOf(numberLines(2 * MIB)));
      stream.destroy();
      expect((await closed("after its stream was destroyed")).kind).not.toBe("error");
    });

    test("the peer's answer arrives while the client's side stays open", async () => {
      const { stream, closed } = await open.connect(`SINK ${3 * MIB}`);
      await writeAll(stream, numberLines(3 * MIB));
      expect((await readText(stream)).trim()).toBe(digestOf(numberLines(3 * MIB)).sha256);
      stream.destroy();
      await closed("after its stream was destroyed");
    });

    test("eight connections opened at once don't mix", async () => {
      const sizes = Array.from({ length: 8 }, (_, index) => 100_000 + index * 40_001);
      const received = await Promise.all(
        sizes.map(async (size) => {
          const { stream, closed } = await open.connect("ECHO");
          const [digest] = await Promise.all([readDigest(stream, size), writeAll(stream, numberLines(size))]);
          stream.destroy();
          await closed("after its stream was destroyed");
          return digest;
        }),
      );
      expect(received).toEqual(sizes.map((size) => digestOf(numberLines(size))));
    });

    test("a reader that has stopped stops the writer; memory stays bounded and nothing is lost", async () => {
      const { stream, closed } = await open.connect("ECHO");
      const limit = suite.inFlightLimitBytes ?? IN_FLIGHT_LIMIT_BYTES;
      const total = limit + 32 * MIB;
      let written = 0;
      const counted = function* () {
        for (const piece of numberLines(total)) {
          written += piece.length;
          yield piece;
        }
      };
      const writing = writeAll(stream, counted());
      await settledValue(() => written);
      // What a writer could get rid of while the reader stands still lies in buffers somewhere.
      expect(written).toBeLessThan(limit);
      expect(stream.writableLength + stream.readableLength).toBeLessThan(4 * MIB);
      const [received] = await Promise.all([readDigest(stream, total), writing]);
      expect(received).toEqual(digestOf(numberLines(total)));
      stream.destroy();
      await closed("after its stream was destroyed");
    });

    test("destroying the stream releases everything, also in the middle of a transfer", async () => {
      const idle = await open.connect("ECHO");
      const busy = await open.connect(`SOURCE ${64 * MIB}`);
      const writing = await open.connect("ECHO");
      await readDigest(busy.stream, MIB);
      const written = writeAll(writing.stream, numberLines(64 * MIB)).catch(() => {});
      for (const { stream, closed } of [idle, busy, writing]) {
        stream.destroy();
        expect((await closed("after its stream was destroyed")).kind, "`closed` after we destroyed the stream").toBe("local");
      }
      await written;
      await open.expectNothingLeft();
    });

    test("when the far end of one connection dies, closed tells it and the others live", async () => {
      const other = await open.connect("ECHO");
      const connection = await open.connect("DIE");
      const { stream, closed } = connection;
      stream.resume();
      expect((await closed("after the far end died")).kind, "`closed` after the far end died").toBeOneOf(["end", "error"]);
      expect(await connection.diagnostics({})).toBeTypeOf("object");
      const [received] = await Promise.all([readDigest(other.stream, 1000), writeAll(other.stream, numberLines(1000))]);
      expect(received).toEqual(digestOf(numberLines(1000)));
      other.stream.destroy();
      await other.closed("after its stream was destroyed");
      await open.expectNothingLeft();
    });
  });

  describe("runner that dies", () => {
    test("every connection closes with a reason, diagnostics answer, connecting again is a typed error, nothing is left", async () => {
      await using open = await openTarget(suite);
      const connections = [await open.connect("ECHO"), await open.connect(`SOURCE ${64 * MIB}`)];
      for (const { stream } of connections) stream.resume();
      await open.far.kill();
      for (const connection of connections) {
        const reason = await connection.closed("after the runner died");
        expect(reason.kind, "`closed` after the runner died").toBeOneOf(["end", "error"]);
        expect(reason.error instanceof Error, "`closed` has an `error` exactly when its kind is `error`").toBe(reason.kind === "error");
        const { summary, lastOutput = "" } = await connection.diagnostics({});
        expect(typeof summary, "`summary` of `diagnostics`").toBeOneOf(["string", "undefined"]);
        expect(Buffer.byteLength(lastOutput)).toBeLessThanOrEqual(4096);
      }
      const error = await caught(() => open.driver.connect(open.handle, {}));
      expectTypedError(error);
      expect(error).toMatchObject({ code: expect.not.stringMatching(/^(INTERNAL|ABORTED)$/), hint: expect.stringMatching(/./) });
      await open.expectNothingLeft();
    });
  });
}
