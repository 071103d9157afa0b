import { once } from "node:events";
import { Duplex } from "node:stream";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { duplexPair } from "../duplex-pair.ts";
import { recordedChunks } from "../recordings.fixture.ts";
import { requestUpgrade } from "./request-upgrade.ts";
import { UpgradeRefusedError } from "./upgrade-refused-error.ts";

const PATH = "/sessionAttachables";
const SWITCHING = "HTTP/0.0 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

/** Plays an engine that says `chunks` and then, if asked, ends; gives what the client wrote. */
function engine(chunks: readonly (string | Buffer)[], options: { readonly end?: boolean } = {}) {
  const [client, far] = duplexPair();
  const written: Buffer[] = [];
  far.on("data", (chunk: Buffer) => written.push(chunk));
  void (async () => {
    for (const chunk of chunks) {
      far.write(chunk);
      await new Promise(setImmediate);
    }
    if (options.end === true) far.end();
  })();
  return { client, far, written: () => Buffer.concat(written) };
}

describe("requestUpgrade", () => {
  test("writes the request as the official client does, then one zero byte", async () => {
    const { client, written } = engine([SWITCHING]);
    await requestUpgrade(client, {
      path: PATH,
      headers: [
        ["X-Dagger-Client-Metadata", "abc="],
        ["X-Docker-Expose-Session-Grpc-Method", "/a/B"],
        ["X-Docker-Expose-Session-Grpc-Method", "/c/D"],
      ],
    });
    await new Promise(setImmediate);
    expect(written().toString("latin1")).toBe(
      "GET /sessionAttachables HTTP/1.1\r\nHost: dagger\r\nUser-Agent: anyrunner\r\nX-Dagger-Client-Metadata: abc=\r\n" +
        "X-Docker-Expose-Session-Grpc-Method: /a/B\r\nX-Docker-Expose-Session-Grpc-Method: /c/D\r\n\r\n\0",
    );
  });

  test("takes the engine's answer wherever it is cut, and leaves what follows in the stream", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: SWITCHING.length + 19 }), { maxLength: 4 }), async (cuts) => {
        const bytes = Buffer.from(`${SWITCHING}PRI * HTTP/2.0 and more`);
        const edges = [...new Set([0, ...cuts, bytes.length])].sort((a, b) => a - b);
        const { client } = engine(
          edges.slice(1).map((edge, i) => bytes.subarray(edges[i], edge)),
          { end: true },
        );
        await requestUpgrade(client, { path: PATH, headers: [] });
        const rest: Buffer[] = [];
        for await (const chunk of client) rest.push(chunk as Buffer);
        expect(Buffer.concat(rest).toString()).toBe("PRI * HTTP/2.0 and more");
      }),
      { numRuns: 60 },
    );
  });

  test.each(["version", "tunnel", "hostSocket"])("the recorded answer of %s", async (scenario) => {
    const { client, far } = engine(
      recordedChunks(scenario, "conn2")
        .filter(({ from }) => from === "engine")
        .map(({ bytes }) => bytes),
    );
    await requestUpgrade(client, { path: PATH, headers: [] });
    if (client.readableLength === 0) await once(client, "readable");
    expect((client.read() as Buffer).toString("latin1", 0, 14)).toBe("PRI * HTTP/2.0");
    far.destroy();
  });

  test.each(["HTTP/1.1 101 Switching Protocols", "HTTP/0.0 101 Switching Protocols", "HTTP/1.1 101"])("accepts %j", async (line) => {
    const { client } = engine([`${line}\r\nUpgrade: h2c\r\n\r\n`]);
    await requestUpgrade(client, { path: PATH, headers: [] });
  });

  test("waits until its acknowledging byte is written", async () => {
    const callbacks: (() => void)[] = [];
    const stream = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => void callbacks.push(callback) });
    let done = false;
    const upgrade = requestUpgrade(stream, { path: PATH, headers: [] }).then(() => (done = true));
    stream.push(SWITCHING);
    callbacks.shift()?.();
    while (callbacks.length === 0) await new Promise(setImmediate);
    expect(done).toBe(false);
    callbacks.shift()?.();
    await upgrade;
    expect(stream.writableLength).toBe(0);
  });
});

describe("a refusal", () => {
  test("as recorded with a client that is too old", async () => {
    const { client } = engine(
      recordedChunks("clientTooOld", "conn2")
        .filter(({ from }) => from === "engine")
        .map(({ bytes }) => bytes),
    );
    const error = await requestUpgrade(client, { path: PATH, headers: [] }).catch((reason: unknown) => reason);
    expect(UpgradeRefusedError.is(error)).toBe(true);
    expect(error).toMatchObject({ name: "UpgradeRefusedError", status: 500, body: "incompatible client version v0.18.0" });
    expect(client.destroyed).toBe(true);
  });

  test.each([
    ["with a length", ["HTTP/1.1 400 Bad Request\r\nContent-Length: 5\r\n\r\nsorry and not this"], false],
    ["in chunks", ["HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nsor", "\r\n2\r\nry\r\n0\r\n\r\n"], false],
    ["up to the end", ["HTTP/1.0 400 Bad Request\r\n\r\nsor", "ry"], true],
  ])("whose body comes %s", async (_, chunks, end) => {
    const { client } = engine(chunks, { end });
    await expect(requestUpgrade(client, { path: PATH, headers: [] })).rejects.toMatchObject({ status: 400, body: "sorry" });
  });

  test("without a body", async () => {
    const { client } = engine(["HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"]);
    await expect(requestUpgrade(client, { path: PATH, headers: [] })).rejects.toMatchObject({
      status: 404,
      body: "",
      message: "the engine refused the upgrade with status 404",
    });
  });
});

describe("what is no engine", () => {
  test.each([
    ["and ends", true],
    ["and stays open", false],
  ])("a complaint of a container runtime is the message, when the stream writes it %s", async (_, end) => {
    const { client } = engine(["OCI runtime exec fai", "led: exec failed: no such file\r\n"], { end });
    await expect(requestUpgrade(client, { path: PATH, headers: [] })).rejects.toMatchObject({
      code: "WRONG_SERVER",
      message: "the stream answered with text instead of HTTP: OCI runtime exec failed: exec failed: no such file",
    });
    expect(client.destroyed).toBe(true);
  });

  test("bytes that are no text stay out of the message", async () => {
    const { client } = engine([Buffer.from([0, 0, 6, 4, 0, 0, 0, 0, 0])], { end: true });
    await expect(requestUpgrade(client, { path: PATH, headers: [] })).rejects.toMatchObject({
      code: "WRONG_SERVER",
      message: "the stream answered with bytes that are no HTTP",
    });
  });

  test("a head without end", async () => {
    const { client } = engine([`HTTP/1.1 101 X\r\nA: ${"x".repeat(70_000)}`]);
    await expect(requestUpgrade(client, { path: PATH, headers: [] })).rejects.toMatchObject({ code: "CONNECTION_LOST" });
  });
});

describe("giving up", () => {
  test.each([[[] as string[]], [["HTTP/0.0 101 Swi"]]])("a stream that ends after %j", async (chunks) => {
    const { client } = engine(chunks, { end: true });
    await expect(requestUpgrade(client, { path: PATH, headers: [] })).rejects.toMatchObject({ code: "CONNECTION_LOST", retryable: true });
  });

  test("a stream that breaks", async () => {
    const { client } = engine([]);
    const upgrade = requestUpgrade(client, { path: PATH, headers: [] });
    client.destroy(new Error("ECONNRESET"));
    await expect(upgrade).rejects.toMatchObject({ code: "CONNECTION_LOST", message: expect.stringContaining("ECONNRESET") });
  });

  test("the signal, before and during", async () => {
    const controller = new AbortController();
    const { client } = engine([]);
    const upgrade = requestUpgrade(client, { path: PATH, headers: [], signal: controller.signal });
    controller.abort();
    await expect(upgrade).rejects.toMatchObject({ code: "ABORTED" });
    expect(client.destroyed).toBe(true);
    await expect(requestUpgrade(engine([]).client, { path: PATH, headers: [], signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("the budget", async () => {
    const { client } = engine(["HTTP/0.0 "]);
    await expect(requestUpgrade(client, { path: PATH, headers: [], timeoutMs: 5 })).rejects.toMatchObject({ code: "TIMEOUT", retryable: true });
    expect(client.destroyed).toBe(true);
  });

  test("a header with a line break is never sent", async () => {
    const { client, written } = engine([SWITCHING]);
    await expect(requestUpgrade(client, { path: PATH, headers: [["X-A", "b\r\nX-Evil: 1"]] })).rejects.toThrow("line break");
    expect(written().length).toBe(0);
  });
});
