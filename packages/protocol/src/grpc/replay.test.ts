import { describe, expect, test } from "vitest";

import { duplexPair } from "../duplex-pair.ts";
import { recordedCalls, recordedChunks, recordedScenarios, type RecordedChunk } from "../recordings.fixture.ts";
import { serveGrpc } from "./server.ts";
import type { GrpcCall } from "./serve-call.ts";

const HEAD = "HTTP/0.0 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

/** Scenarios where the engine went on to HTTP/2. */
const scenarios = recordedScenarios().filter((scenario) => recordedCalls(scenario).length > 0);

test("there are recordings", () => expect(scenarios.length).toBeGreaterThan(15));

describe("the engine's side of a recording, played to serveGrpc", () => {
  test.each(scenarios)("%s: the same calls as in the transcript", async (scenario) => {
    const recorded = recordedCalls(scenario);
    const { received, stop } = await play(
      scenario,
      recorded.map(({ path }) => path),
    );
    expect(received.map(({ call }) => call.path)).toEqual(recorded.map(({ path }) => path));

    for (const [i, { call, messages }] of received.entries()) {
      const expected = recorded[i] as (typeof recorded)[number];
      const values = [...call.metadata].map(([name, value]) => `${name}: ${value}`);
      for (const [j, [name, value]] of expected.headers.entries()) expect(values[j]?.startsWith(`${name}: ${value}`), `${call.path} ${name}`).toBe(true);

      expect(messages.length).toBe(expected.messages.length);
      expect(messages.reduce((sum, message) => sum + message.length + 5, 0)).toBe(expected.dataBytes);
      for (const [j, message] of messages.entries()) {
        for (const text of stringsOf(expected.messages[j] ?? "")) expect(message.includes(text), String(text)).toBe(true);
      }
    }
    await stop();
  });
});

async function play(scenario: string, paths: readonly string[]) {
  const received: { readonly call: GrpcCall; readonly messages: Buffer[] }[] = [];
  const listen = async (call: GrpcCall) => {
    const messages: Buffer[] = [];
    received.push({ call, messages });
    for await (const message of call.messages) messages.push(Buffer.from(message));
    await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
  };
  const [engine, client] = duplexPair();
  const server = serveGrpc(client, Object.fromEntries(paths.map((path) => [path, listen])));
  engine.resume();
  for (const bytes of afterUpgrade(recordedChunks(scenario, "conn2"))) {
    engine.write(bytes);
    // A reset drops what its stream has not delivered yet, so each chunk gets its turns.
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  }
  return {
    received,
    async stop() {
      server.destroy();
      expect(await server.closed).toBeUndefined();
    },
  };
}

/** The engine's chunks behind the 101, which may itself have come in pieces. */
function afterUpgrade(chunks: readonly RecordedChunk[]): Buffer[] {
  let skip = HEAD.length;
  return chunks.flatMap(({ from, bytes }) => {
    if (from === "client") return [];
    const rest = bytes.subarray(skip);
    skip = Math.max(0, skip - bytes.length);
    return rest.length === 0 ? [] : [rest];
  });
}

/** The text fields that a transcript's line shows, in UTF-8; the last may be cut. */
function stringsOf(printed: string): Buffer[] {
  return [...printed.matchAll(/"((?:[^"\\]|\\.)*)"/g)]
    .map(([literal]) => JSON.parse(literal) as string)
    .filter((text) => !text.startsWith("hex:"))
    .map((text) => Buffer.from(text, "utf8"));
}
