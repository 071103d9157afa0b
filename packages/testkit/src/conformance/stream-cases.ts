import assert from "node:assert/strict";

import { caught, expectOneOf, expectTypedError } from "./caught.ts";
import type { CaseContext, CaseDraft } from "./conformance-case.ts";
import { digestOf, readDigest, readText, unevenPieces, writeAll } from "./conversation.ts";
import { numberLines } from "./number-lines.ts";
import { openTarget, shareOpenTarget } from "./open-target.ts";
import { settledValue } from "./settled-value.ts";

const MIB = 1024 * 1024;
const IN_FLIGHT_LIMIT_BYTES = 32 * MIB;

const group = "stream";

/** The connection: bytes both ways, back-pressure, and every way in which it ends. */
export function streamCases(context: CaseContext): readonly CaseDraft[] {
  const { suite } = context;
  const shared = shareOpenTarget(context, group);
  return [
    {
      group,
      name: "carries 8 MiB both ways at once, in pieces of every size",
      async run() {
        const open = await shared();
        const { stream, closed } = await open.connect("ECHO");
        const expected = digestOf(numberLines(8 * MIB));
        const [, received] = await Promise.all([writeAll(stream, unevenPieces(numberLines(8 * MIB))), readDigest(stream, 8 * MIB)]);
        assert.deepEqual(received, expected);
        stream.destroy();
        await closed("after its stream was destroyed");
      },
    },
    {
      group,
      name: "delivers what the peer sent before its end to a reader that comes late, and then tells the end",
      async run() {
        const open = await shared();
        const { stream, closed } = await open.connect(`SOURCE ${2 * MIB}`);
        await settledValue(() => stream.readableLength);
        assert.deepEqual(await readDigest(stream), digestOf(numberLines(2 * MIB)));
        stream.destroy();
        assert.notEqual((await closed("after its stream was destroyed")).kind, "error", "`closed` after the peer's end was read");
      },
    },
    {
      group,
      name: "the peer's answer arrives while the client's side stays open",
      async run() {
        const open = await shared();
        const { stream, closed } = await open.connect(`SINK ${3 * MIB}`);
        await writeAll(stream, numberLines(3 * MIB));
        assert.deepEqual((await readText(stream)).trim(), digestOf(numberLines(3 * MIB)).sha256);
        stream.destroy();
        await closed("after its stream was destroyed");
      },
    },
    {
      group,
      name: "eight connections opened at once don't mix",
      async run() {
        const open = await shared();
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
        assert.deepEqual(
          received,
          sizes.map((size) => digestOf(numberLines(size))),
        );
      },
    },
    {
      group,
      name: "a reader that has stopped stops the writer; memory stays bounded and nothing is lost",
      async run() {
        const open = await shared();
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
        writing.catch(() => {});
        await settledValue(() => written);
        // What a writer could get rid of while the reader stands still lies in buffers somewhere.
        assert.ok(
          written < limit,
          `the writer got rid of ${written} bytes while the reader stood still; the limit is ${limit}. If they lie in buffers of sockets on the way, raise inFlightLimitBytes of the suite`,
        );
        const held = stream.writableLength + stream.readableLength;
        assert.ok(held < 4 * MIB, `the stream itself holds ${held} bytes`);
        const [received] = await Promise.all([readDigest(stream, total), writing]);
        assert.deepEqual(received, digestOf(numberLines(total)));
        stream.destroy();
        await closed("after its stream was destroyed");
      },
    },
    {
      group,
      name: "destroying the stream releases everything, also in the middle of a transfer",
      async run() {
        const open = await shared();
        const idle = await open.connect("ECHO");
        const busy = await open.connect(`SOURCE ${64 * MIB}`);
        const writing = await open.connect("ECHO");
        await readDigest(busy.stream, MIB);
        const written = writeAll(writing.stream, numberLines(64 * MIB)).catch(() => {});
        for (const { stream, closed } of [idle, busy, writing]) {
          stream.destroy();
          assert.equal((await closed("after its stream was destroyed")).kind, "local", "`closed` after we destroyed the stream");
        }
        await written;
        await open.expectNothingLeft();
      },
    },
    {
      group,
      name: "when the far end of one connection dies, closed tells it and the others live",
      async run() {
        const open = await shared();
        const other = await open.connect("ECHO");
        const connection = await open.connect("DIE");
        const { stream, closed } = connection;
        stream.resume();
        expectOneOf((await closed("after the far end died")).kind, ["end", "error"], "`closed` after the far end died");
        assert.equal(typeof (await connection.diagnostics({})), "object", "what `diagnostics` gives");
        const [received] = await Promise.all([readDigest(other.stream, 1000), writeAll(other.stream, numberLines(1000))]);
        assert.deepEqual(received, digestOf(numberLines(1000)));
        other.stream.destroy();
        await other.closed("after its stream was destroyed");
        await open.expectNothingLeft();
      },
    },
    {
      group: "runner that dies",
      name: "every connection closes with a reason, diagnostics answer, connecting again is a typed error, nothing is left",
      async run() {
        await using open = await openTarget(suite);
        const connections = [await open.connect("ECHO"), await open.connect(`SOURCE ${64 * MIB}`)];
        for (const { stream } of connections) stream.resume();
        await open.far.kill();
        for (const connection of connections) {
          const reason = await connection.closed("after the runner died");
          expectOneOf(reason.kind, ["end", "error"], "`closed` after the runner died");
          assert.equal(reason.error instanceof Error, reason.kind === "error", "`closed` has an `error` exactly when its kind is `error`");
          const { summary, lastOutput = "" } = await connection.diagnostics({});
          expectOneOf(typeof summary, ["string", "undefined"], "the type of `summary` of `diagnostics`");
          assert.ok(Buffer.byteLength(lastOutput) <= 4096, "`lastOutput` is longer than 4 KiB");
        }
        const error = await caught(() => open.driver.connect(open.handle, {}));
        const { code, hint } = expectTypedError(error);
        assert.doesNotMatch(code, /^(INTERNAL|ABORTED)$/, `the error is ${code}`);
        assert.ok(hint, "the error has no hint");
        await open.expectNothingLeft();
      },
    },
  ];
}
