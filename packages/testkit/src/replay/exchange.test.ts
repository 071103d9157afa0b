import { readFile } from "node:fs/promises";

import { describe, expect, test } from "vitest";

import { grpcMessages, headerOf, readConversation } from "./exchange.ts";
import { createHeaderDecoder } from "./hpack.ts";
import { RECORDED_SCENARIOS, readRecordedResult, readRecording } from "./recording.ts";

describe("createHeaderDecoder", () => {
  test("reads the RFC's own example, three requests on one connection, compressed", () => {
    const { decode } = createHeaderDecoder();
    const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
    expect(decode(hex("8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff"))).toEqual([
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "www.example.com"],
    ]);
    expect(decode(hex("8286 84be 5886 a8eb 1064 9cbf")).at(-1)).toEqual(["cache-control", "no-cache"]);
    expect(decode(hex("8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf")).slice(-2)).toEqual([
      [":authority", "www.example.com"],
      ["custom-key", "custom-value"],
    ]);
  });

  test("forgets what no longer fits the table, as the RFC's responses do", () => {
    const { decode } = createHeaderDecoder(256);
    const hex = (text: string) => Buffer.from(text.replaceAll(" ", ""), "hex");
    decode(hex("4882 6402 5885 aec3 771a 4b61 96d0 7abe 9410 54d4 44a8 2005 9504 0b81 66e0 82a6 2d1b ff6e 919d 29ad 1718 63c7 8f0b 97c8 e9ae 82ae 43d3"));
    expect(decode(hex("4883 640e ffc1 c0bf"))).toEqual([
      [":status", "307"],
      ["cache-control", "private"],
      ["date", "Mon, 21 Oct 2013 20:13:21 GMT"],
      ["location", "https://www.example.com"],
    ]);
  });
});

describe("recordings", () => {
  test.each(RECORDED_SCENARIOS.map((scenario) => [scenario] as const))(
    "connection 2 of %s is understood to the last byte, and agrees with its transcript",
    async (scenario) => {
      const { upgrade, exchanges } = readConversation(await readRecording(scenario, 2));
      const transcript = await readFile(new URL(`../../fixtures/captures/${scenario}/conn2.txt`, import.meta.url), "utf8");
      expect(upgrade?.request).toMatch(/^GET \/sessionAttachables HTTP\/1\.1\r\nHost: dagger\r\n/);
      expect(exchanges.map(({ streamId }) => `[${streamId}] HEADERS :method: POST`)).toEqual(transcript.match(/\[\d+\] HEADERS :method: POST/g) ?? []);
      const statuses = exchanges.map(({ response }) => headerOf(response.trailers, "grpc-status")).filter((status) => status !== undefined);
      expect(statuses).toEqual([...transcript.matchAll(/-> \[\d+\] HEADERS END_STREAM .*grpc-status: (\d+)/g)].map((match) => match[1]));
    },
  );

  test("the version probe is two calls of Info", async () => {
    const { upgrade, exchanges } = readConversation(await readRecording("version", 1));
    expect(upgrade).toBeUndefined();
    expect(exchanges.map(({ request }) => headerOf(request.headers, ":path"))).toEqual(["/moby.buildkit.v1.Control/Info", "/moby.buildkit.v1.Control/Info"]);
    expect(exchanges.map(({ response }) => grpcMessages(response.body)[0]?.includes("github.com/dagger/dagger"))).toEqual([true, true]);
  });

  test("queries have whole bodies", async () => {
    const { exchanges } = readConversation(await readRecording("execFail", 4));
    expect(exchanges.map(({ request }) => headerOf(request.headers, ":path"))).toEqual(["/query", "/query", "/query", "/shutdown"]);
    expect(JSON.parse(exchanges[2]?.response.body.toString() ?? "")).toMatchObject({
      data: null,
      errors: [{ extensions: { _type: "EXEC_ERROR", exitCode: 7, stdout: "o", stderr: "e" } }],
    });
  });

  test("what the program printed is at hand", async () => {
    expect(await readRecordedResult("version")).toMatch(/^version "v0\.21\.8"/);
  });
});
