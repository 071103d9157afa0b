import { request as httpRequest, type IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { buffer, text } from "node:stream/consumers";

import { afterEach, describe, expect, test } from "vitest";

import { openGrpcStream } from "../grpc/client-stream.ts";
import { serveGrpc } from "../grpc/server.ts";
import { callUnary, unaryHandler } from "../grpc/unary.ts";
import { openHttp2Connection } from "../http2/connection.ts";
import { readText } from "../http2/response-body.ts";
import { Control } from "../methods/control.ts";
import { Health, ServingStatus } from "../methods/health.ts";
import { parseClientMetadata } from "../client-metadata.ts";
import { recordedChunks } from "../recordings.fixture.ts";
import { STREAM_KINDS, streamPair } from "../stream-pair.fixture.ts";
import { duplexPair } from "../duplex-pair.ts";
import { requestUpgrade } from "../upgrade/request-upgrade.ts";
import type { EngineHttpRequest } from "./http-handler.ts";
import { serveEngineStream, type EngineStream, type EngineStreamHandlers } from "./serve-engine-stream.ts";

let open: { readonly client: Duplex; readonly served: EngineStream }[] = [];

afterEach(async () => {
  for (const { client, served } of open) {
    client.destroy();
    await served.closed;
  }
  open = [];
});

const HANDLERS: EngineStreamHandlers = {
  grpc: { [Control.info.path]: unaryHandler(Control.info, () => ({ buildkitVersion: { version: "v0.21.8" } })) },
  http: async ({ method, path, search, headers, body, respond }) => {
    const sent = await text(body);
    respond(200, { "content-type": "text/plain", "x-seen": String(headers["x-mine"]) }).end(`${method} ${path} ${search} ${sent}`);
  },
  upgrades: {},
};

async function serve(handlers: Partial<EngineStreamHandlers> = {}, kind: (typeof STREAM_KINDS)[number] = "socket"): Promise<Duplex> {
  const [client, far] = await streamPair(kind);
  open.push({ client, served: serveEngineStream(far, { ...HANDLERS, ...handlers }) });
  return client;
}

describe.each(STREAM_KINDS)("over a %s", (kind) => {
  test("HTTP/2: gRPC and other requests on one connection", async () => {
    const connection = openHttp2Connection(await serve({}, kind));
    expect((await callUnary(connection, Control.info, {})).buildkitVersion?.version).toBe("v0.21.8");
    const { status, headers, body } = await connection.request({ path: "/query?a=1", headers: { "x-mine": "m" }, body: "{}" });
    expect([status, headers["x-seen"], await text(body)]).toEqual([200, "m", "POST /query ?a=1 {}"]);
  });

  test("HTTP/1.1, request after request", async () => {
    const client = await serve({}, kind);
    for (const i of [1, 2]) {
      client.write(`POST /query?i=${i} HTTP/1.1\r\nHost: dagger\r\nX-Mine: m\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`);
      const answer = await untilMatch(client, /\{\}\r\n0\r\n\r\n$/);
      expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\ncontent-type: text\/plain\r\nx-seen: m\r\n/);
      expect(answer).toContain(`POST /query ?i=${i} {}`);
    }
  });

  test("the session: upgrade, and the client becomes the server", async () => {
    const { promise: called, resolve } = Promise.withResolvers<unknown>();
    const client = await serve(
      {
        upgrades: {
          "/sessionAttachables": async ({ headers, accept }) => {
            const connection = openHttp2Connection(await accept());
            const { status } = await callUnary(connection, Health.check, {});
            resolve({ methods: headers.getAll("X-Docker-Expose-Session-Grpc-Method"), status });
            await connection.closed;
          },
        },
      },
      kind,
    );
    await requestUpgrade(client, {
      path: "/sessionAttachables",
      headers: [
        ["X-Docker-Expose-Session-Grpc-Method", "/a/B"],
        ["x-docker-expose-session-grpc-method", "/c/D"],
      ],
    });
    const server = serveGrpc(client, { [Health.check.path]: unaryHandler(Health.check, () => ({ status: ServingStatus.SERVING })) });
    expect(await called).toEqual({ methods: ["/a/B", "/c/D"], status: 1 });
    await server.close();
    expect(await server.closed).toBeUndefined();
  });
});

describe("upgrades", () => {
  test.each([
    [
      "refused",
      async ({ refuse }: { refuse(status: number, text: string): Promise<void> }) => refuse(500, "incompatible client version v0.18.0"),
      "incompatible client version v0.18.0",
    ],
    [
      "whose handler fails",
      async () => {
        throw new Error("no room");
      },
      "no room",
    ],
    ["that nobody answers", async () => {}, "the upgrade was not answered"],
  ])("one %s", async (_, handler, body) => {
    const client = await serve({ upgrades: { "/up": handler } });
    await expect(requestUpgrade(client, { path: "/up", headers: [] })).rejects.toMatchObject({ status: 500, body });
  });

  test("a refusal has the bytes of the recorded one", async () => {
    const recorded = recordedChunks("clientTooOld", "conn2");
    const client = await serve({ upgrades: { "/sessionAttachables": ({ refuse }) => refuse(500, "incompatible client version v0.18.0") } });
    client.write(recorded.find(({ from }) => from === "client")?.bytes ?? "");
    const undated = (answer: string) => answer.replace(/Date: .*\r\n/, "");
    expect(undated(await text(client))).toBe(undated(recorded.find(({ from }) => from === "engine")?.bytes.toString("latin1") ?? ""));
  });

  test("the answer has the bytes of the recorded one, and the client's metadata arrives", async () => {
    const recorded = recordedChunks("version", "conn2");
    let clientId: string | undefined;
    const client = await serve({
      upgrades: {
        "/sessionAttachables": async ({ headers, accept }) => {
          clientId = parseClientMetadata(headers.get("x-dagger-client-metadata")).clientId;
          (await accept()).end();
        },
      },
    });
    for (const { from, bytes } of recorded.slice(0, 3)) if (from === "client") client.write(bytes);
    expect(await text(client)).toBe(recorded.find(({ from }) => from === "engine")?.bytes.toString("latin1"));
    expect(clientId).toMatch(/^[a-z0-9]+$/);
  });

  test("other paths and later requests of the connection are plain HTTP", async () => {
    const client = await serve({ upgrades: { "/up": async () => {} } });
    client.write("GET /other HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await untilMatch(client, /GET \/other {2}\r\n0\r\n\r\n$/)).toContain("200 OK");
  });
});

describe("recorded clients", () => {
  test("the version probe", async () => {
    const [client, far] = duplexPair();
    open.push({ client, served: serveEngineStream(far, HANDLERS) });
    const answers = untilMatch(client, /v0\.21\.8[^]*v0\.21\.8/);
    await speakAs(client, "version", "conn1");
    expect((await answers).length).toBeGreaterThan(0);
  });

  test("the queries and the shutdown", async () => {
    const [client, far] = duplexPair();
    const requests: Pick<EngineHttpRequest, "method" | "path">[] = [];
    const { promise, resolve } = Promise.withResolvers<void>();
    const http: EngineStreamHandlers["http"] = async ({ method, path, headers, body, respond }) => {
      parseClientMetadata(headers["x-dagger-client-metadata"] as string);
      if (path === "/query") expect(JSON.parse(await text(body))).toHaveProperty("query");
      respond(200).end();
      requests.push({ method, path });
      if (path === "/shutdown") resolve();
    };
    open.push({ client, served: serveEngineStream(far, { ...HANDLERS, http }) });
    client.resume();
    await speakAs(client, "exec", "conn4");
    await promise;
    expect(requests.at(0)).toEqual({ method: "POST", path: "/query" });
    expect(requests.at(-1)).toEqual({ method: "POST", path: "/shutdown" });
  });
});

describe("requests", () => {
  const speak = {
    "HTTP/2": async (client: Duplex, path: string, signal?: AbortSignal) => {
      const { status, headers, body } = await openHttp2Connection(client).request({ path, signal });
      return { status, headers, body };
    },
    "HTTP/1.1": (client: Duplex, path: string, signal?: AbortSignal) =>
      new Promise<{ status: number; headers: IncomingMessage["headers"]; body: IncomingMessage }>((resolve, reject) => {
        httpRequest({ path, createConnection: () => client, signal }, (response) =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: response }),
        )
          .on("error", reject)
          .end();
      }),
  };

  describe.each(Object.entries(speak))("%s", (_, ask) => {
    test("a handler that fails answers 500 with its message, as the engine does", async () => {
      const client = await serve({
        http: async () => {
          throw new Error("client ID is required");
        },
      });
      const { status, headers, body } = await ask(client, "/query");
      expect([status, headers["content-type"], await text(body)]).toEqual([500, "text/plain; charset=utf-8", "client ID is required\n"]);
    });

    test("a handler that forgets to answer, and one that forgets to end", async () => {
      const silent = await ask(await serve({ http: async () => {} }), "/x");
      expect([silent.status, await text(silent.body)]).toEqual([500, "/x was not answered\n"]);
      const endless = await ask(await serve({ http: async ({ respond }) => void respond(200).write("all") }), "/x");
      expect(await text(endless.body)).toBe("all");
    });

    test("a failure after the head breaks the answer off", async () => {
      const client = await serve({
        http: async ({ respond }) => {
          respond(200).write("part");
          await new Promise(setImmediate);
          throw new Error("boom");
        },
      });
      const { body } = await ask(client, "/x");
      await expect(buffer(body)).rejects.toBeInstanceOf(Error);
    });

    test("a client that gives up aborts the signal", async () => {
      const { promise: reason, resolve } = Promise.withResolvers<unknown>();
      const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
      const client = await serve({
        http: ({ signal }) =>
          new Promise((_, reject) => {
            begin();
            signal.addEventListener("abort", () => {
              resolve(signal.reason);
              reject(signal.reason as Error);
            });
          }),
      });
      const controller = new AbortController();
      const asked = ask(client, "/query", controller.signal).catch((error: unknown) => error);
      await begun;
      controller.abort();
      expect(await asked).toBeInstanceOf(Error);
      expect(await reason).toBeInstanceOf(Error);
    });

    test("a large answer with back-pressure", async () => {
      const client = await serve({
        http: async ({ respond }) => {
          const answer = respond(200);
          for (let i = 0; i < 200; i++) if (!answer.write(Buffer.alloc(64 * 1024))) await new Promise((resolve) => answer.once("drain", resolve));
          answer.end();
        },
      });
      expect((await buffer((await ask(client, "/x")).body)).length).toBe(200 * 64 * 1024);
    });
  });
});

describe("closing", () => {
  test("a client that leaves without a word is no error", async () => {
    const [client, far] = duplexPair();
    const served = serveEngineStream(far, HANDLERS);
    client.destroy();
    expect(await served.closed).toBeUndefined();
  });

  test("nonsense is answered or dropped, never thrown", async () => {
    const [client, far] = duplexPair();
    const served = serveEngineStream(far, HANDLERS);
    client.write("\x16\x03\x01 hello\r\n\r\n");
    expect(await text(client)).toMatch(/^HTTP\/1.1 400 Bad Request/);
    await served.closed;
  });

  test.each(["HTTP/2", "HTTP/1.1"])("lets a request of %s end", async (protocol) => {
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
    const { promise: go, resolve: finish } = Promise.withResolvers<void>();
    const [client, far] = duplexPair();
    const served = serveEngineStream(far, {
      ...HANDLERS,
      http: async ({ respond }) => {
        begin();
        await go;
        respond(200, { "content-length": "2" }).end("ok");
      },
    });
    const answer =
      protocol === "HTTP/2"
        ? openHttp2Connection(client)
            .request({ path: "/" })
            .then(({ body }) => readText(body, { limitBytes: 10 }))
        : (client.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), untilMatch(client, /ok$/));
    await begun;
    const closing = served.close({ graceMs: 10_000 });
    finish();
    expect(await answer).toMatch(/ok$/);
    await closing;
  });

  test("but not for ever", async () => {
    const [client, far] = duplexPair();
    const served = serveEngineStream(far, {
      ...HANDLERS,
      grpc: { "/t/Hold": (call) => new Promise((_, reject) => call.signal.addEventListener("abort", () => reject(call.signal.reason))) },
    });
    const connection = openHttp2Connection(client);
    const stream = openGrpcStream(connection, "/t/Hold");
    await connection.ping();
    await served.close({ graceMs: 5 });
    await expect(stream.messages[Symbol.asyncIterator]().next()).rejects.toMatchObject({ name: "GrpcError" });
  });
});

/** Says what the recorded client said, at the points where it said it. */
async function speakAs(client: Duplex, scenario: string, connection: string): Promise<void> {
  for (const { from, bytes } of recordedChunks(scenario, connection)) {
    if (from === "client") client.write(bytes);
    for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
  }
}

async function untilMatch(stream: Duplex, pattern: RegExp): Promise<string> {
  let received = "";
  for await (const chunk of stream.iterator({ destroyOnReturn: false })) {
    received += (chunk as Buffer).toString("latin1");
    if (pattern.test(received)) return received;
  }
  throw new Error(`the stream ended after ${received}`);
}
