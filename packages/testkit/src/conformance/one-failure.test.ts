import { Duplex } from "node:stream";

import { RunnerError, throwIfAborted, type RunnerConnection, type RunnerDriver } from "@anyrunner/core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { expectNothingLeft, takeInventory } from "../leak-check.ts";
import { driverCases } from "./driver-cases.ts";
import type { DriverSuite } from "./driver-suite.ts";
import { createStubDriver } from "./stub-driver/stub-driver.ts";
import { stubSuite } from "./stub-driver/stub-suite.ts";

const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);
beforeEach(() => {
  unhandled.length = 0;
  process.on("unhandledRejection", note);
});
afterEach(() => process.off("unhandledRejection", note));

/** Runs the whole suite: the names of the cases that failed, each with its message. Nothing may be left of it, and no promise forgotten. */
async function failuresOf(suite: DriverSuite): Promise<readonly (readonly [string, string])[]> {
  const before = await takeInventory();
  const { cases, close } = driverCases(suite);
  const failures: (readonly [string, string])[] = [];
  for (const { name, skip, run } of cases) {
    if (skip === undefined) await run().catch((error: Error) => failures.push([name, error.message]));
  }
  await close();
  await expectNothingLeft(before);
  expect(unhandled).toEqual([]);
  return failures;
}

/** A stub driver whose connection number `broken`, counted over the whole suite, is what `change` makes of it. */
function suiteWithOne(broken: number, change: (connection: RunnerConnection) => RunnerConnection | Promise<RunnerConnection>): DriverSuite {
  let count = 0;
  const base = createStubDriver();
  const createDriver = (): RunnerDriver => ({
    ...base,
    async connect(handle, options) {
      const connection = await base.connect(handle as never, options);
      return ++count === broken ? change(connection) : connection;
    },
  });
  return stubSuite("once broken", createDriver);
}

/** Connections in the order of the suite: the first goes through JSON, the next ones are those of the stream cases. */
const FIRST_OF_STREAMS = 2;
const STOPPED_READER = 13;

describe("one failure is one failure, and leaves nothing: a connection that", () => {
  test("stands still", async () => {
    const silent = ({ stream, ...rest }: RunnerConnection) => ({ ...rest, stream: silentStream(stream) });
    expect(await failuresOf(suiteWithOne(FIRST_OF_STREAMS, silent))).toEqual([
      ["carries 8 MiB both ways at once, in pieces of every size", expect.stringContaining(" within 5 s")],
    ]);
  });

  test("never says that it is over", async () => {
    const endless = (connection: RunnerConnection) => ({ ...connection, closed: new Promise<never>(() => {}) });
    expect(await failuresOf(suiteWithOne(FIRST_OF_STREAMS, endless))).toEqual([
      [expect.any(String), "`closed` did not resolve after its stream was destroyed within 5 s"],
    ]);
  });

  test("comes too late", async () => {
    let deliver = () => {};
    const late = (connection: RunnerConnection) =>
      new Promise<RunnerConnection>((resolve) => {
        deliver = () => resolve(connection);
      });
    const suite = suiteWithOne(FIRST_OF_STREAMS, late);
    const { target } = suite;
    // The next runner is made after the case has failed.
    const failures = await failuresOf({ ...suite, target: () => (deliver(), target()) });
    expect(failures).toEqual([[expect.any(String), "`connect` did not settle within 15 s"]]);
  });

  test("breaks while it is written and read", async () => {
    const breaking = (connection: RunnerConnection) => {
      let read = 0;
      connection.stream.on("data", (chunk: Buffer) => (read += chunk.length) > 1_000_000 && connection.stream.destroy(new Error("cut off")));
      connection.stream.pause();
      return connection;
    };
    expect(await failuresOf(suiteWithOne(FIRST_OF_STREAMS, breaking))).toEqual([[expect.any(String), expect.stringMatching(/^the stream /)]]);
  });

  test("takes all that is written: its writer is cut off with it, and the message says what may be raised", async () => {
    const greedy = ({ stream, ...rest }: RunnerConnection) => ({ ...rest, stream: greedyStream(stream) });
    expect(await failuresOf(suiteWithOne(STOPPED_READER, greedy))).toEqual([
      [
        "a reader that has stopped stops the writer; memory stays bounded and nothing is lost",
        expect.stringMatching(/the limit is \d+\. .*raise inFlightLimitBytes/),
      ],
    ]);
  });

  test("isn't even asked for, since a call that is cancelled fails at once", async () => {
    let count = 0;
    const base = createStubDriver();
    const createDriver = (): RunnerDriver => ({
      ...base,
      async probe(target, options) {
        throwIfAborted(options.signal);
        if (options.signal !== undefined && ++count === 1) throw new RunnerError("INTERNAL", "confused");
        return base.probe(target as never, options);
      },
    });
    const failures = await failuresOf(stubSuite("once confused", createDriver));
    expect(failures).toEqual([[expect.stringMatching(/^probe cancelled on its way/), "expected ABORTED, got INTERNAL: confused"]]);
  });
});

test("a runner that couldn't be made once is made for the next case", async () => {
  const suite = stubSuite("once unmade");
  let count = 0;
  const target = () => (++count === 3 ? Promise.reject(new Error("no room")) : suite.target());
  const failures = await failuresOf({ ...suite, target });
  expect(failures.map(([, message]) => message)).toEqual(["no room"]);
});

/** Takes what is written and gives nothing. */
function silentStream(socket: Duplex): Duplex {
  return new Duplex({
    read() {},
    write: (_chunk, _encoding, callback) => callback(),
    destroy(error, callback) {
      socket.destroy();
      callback(error);
    },
  });
}

/** Keeps whatever is written. */
function greedyStream(socket: Duplex): Duplex {
  const stream = new Duplex({
    read: () => socket.resume(),
    write(chunk, _, callback) {
      socket.write(chunk);
      callback();
    },
    destroy(error, callback) {
      socket.destroy();
      callback(error);
    },
  });
  socket.on("data", (chunk: Buffer) => {
    if (!stream.push(chunk)) socket.pause();
  });
  socket.once("end", () => stream.push(null));
  return stream;
}
