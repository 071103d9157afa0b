import { afterEach, describe, expect, test } from "vitest";

import { openHttp2Connection, type Http2Connection } from "../http2/connection.ts";
import { Auth } from "../methods/auth.ts";
import { Control } from "../methods/control.ts";
import { STREAM_KINDS, streamPair } from "../stream-pair.fixture.ts";
import { openGrpcStream } from "./client-stream.ts";
import { serveGrpc, type GrpcServer } from "./server.ts";
import type { GrpcCall, GrpcRoutes } from "./serve-call.ts";
import { GrpcError, GrpcStatus } from "./status.ts";
import { callUnary, unaryHandler } from "./unary.ts";

let open: { readonly connection: Http2Connection; readonly server: GrpcServer }[] = [];

afterEach(async () => {
  for (const { connection, server } of open) {
    connection.destroy();
    server.destroy();
    await Promise.all([connection.closed, server.closed]);
  }
  open = [];
});

async function serve(routes: GrpcRoutes, kind: (typeof STREAM_KINDS)[number] = "socket"): Promise<{ connection: Http2Connection; server: GrpcServer }> {
  const [left, right] = await streamPair(kind);
  const pair = { connection: openHttp2Connection(left), server: serveGrpc(right, routes) };
  open.push(pair);
  return pair;
}

async function collect(messages: AsyncIterable<Uint8Array>): Promise<string[]> {
  const all: string[] = [];
  for await (const message of messages) all.push(Buffer.from(message).toString());
  return all;
}

const echo = async (call: GrpcCall) => {
  for await (const message of call.messages) await call.send(message);
};

describe.each(STREAM_KINDS)("over a %s", (kind) => {
  test("unary calls, typed", async () => {
    const { connection } = await serve(
      {
        [Control.info.path]: unaryHandler(Control.info, () => ({ buildkitVersion: { package: "p", version: "v1.2.3" }, systemInfo: { numCpu: 2 } })),
        [Auth.credentials.path]: unaryHandler(Auth.credentials, ({ host }) => ({ username: host, secret: "s" })),
      },
      kind,
    );
    const info = await callUnary(connection, Control.info, {});
    expect(info.buildkitVersion).toMatchObject({ package: "p", version: "v1.2.3", revision: "" });
    expect(info.systemInfo?.numCpu).toBe(2);
    expect((await callUnary(connection, Auth.credentials, { host: "h" })).username).toBe("h");
  });

  test("bidirectional streams: parts, empty and large messages, half-close", async () => {
    const { connection } = await serve({ "/t/Echo": echo }, kind);
    const stream = openGrpcStream(connection, "/t/Echo");
    const large = "x".repeat(3_000_000);
    const received = collect(stream.messages);
    await stream.send([Buffer.from("a"), Buffer.alloc(0), Buffer.from("b")]);
    await stream.send(new Uint8Array());
    await stream.send([Buffer.from(large.slice(0, 1_000_000)), Buffer.from(large.slice(1_000_000))]);
    stream.end();
    expect(await received).toEqual(["ab", "", large]);
  });

  test("300 calls at once", async () => {
    const { connection } = await serve({ "/t/Echo": echo }, kind);
    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, i) => {
        const stream = openGrpcStream(connection, "/t/Echo");
        await stream.send(Buffer.from(String(i)));
        stream.end();
        return collect(stream.messages);
      }),
    );
    expect(answers.flat()).toEqual(Array.from({ length: 300 }, (_, i) => String(i)));
  });

  test("an answer that comes before the client's half-close is whole", async () => {
    const { connection } = await serve({ "/t/Early": (call) => call.send(Buffer.alloc(3_000_000, "e")) }, kind);
    expect((await collect(openGrpcStream(connection, "/t/Early").messages)).join("").length).toBe(3_000_000);
  });
});

describe("statuses", () => {
  test("a thrown GrpcError is the status, before and after the first message", async () => {
    const { connection } = await serve({
      "/t/Only": async () => {
        throw new GrpcError(GrpcStatus.NOT_FOUND, "kein Zugriff auf „x“: 100%");
      },
      "/t/Late": async (call) => {
        await call.send(Buffer.from("one"));
        throw new GrpcError(GrpcStatus.DATA_LOSS, "half");
      },
    });
    await expect(collect(openGrpcStream(connection, "/t/Only").messages)).rejects.toMatchObject({ status: 5, message: "kein Zugriff auf „x“: 100%" });

    const received: string[] = [];
    const late = async () => {
      for await (const message of openGrpcStream(connection, "/t/Late").messages) received.push(Buffer.from(message).toString());
    };
    await expect(late()).rejects.toMatchObject({ status: GrpcStatus.DATA_LOSS, message: "half" });
    expect(received).toEqual(["one"]);
  });

  test("any other error is UNKNOWN with its message, an unknown path UNIMPLEMENTED", async () => {
    const { connection } = await serve({
      "/t/Bug": async () => {
        throw new Error("oh");
      },
    });
    await expect(collect(openGrpcStream(connection, "/t/Bug").messages)).rejects.toMatchObject({ status: GrpcStatus.UNKNOWN, message: "oh" });
    await expect(collect(openGrpcStream(connection, "/t/Nothing").messages)).rejects.toMatchObject({
      status: GrpcStatus.UNIMPLEMENTED,
      message: "unknown method Nothing for service t",
    });
    await expect(collect(openGrpcStream(connection, "/a.b.C/D").messages)).rejects.toMatchObject({
      status: GrpcStatus.UNIMPLEMENTED,
      message: "unknown service a.b.C",
    });
    await expect(collect(openGrpcStream(connection, "/constructor").messages)).rejects.toMatchObject({ status: GrpcStatus.UNIMPLEMENTED });
  });

  test("OK without any message is an empty answer", async () => {
    const { connection } = await serve({ "/t/Quiet": async () => {} });
    expect(await collect(openGrpcStream(connection, "/t/Quiet").messages)).toEqual([]);
  });

  test("a message above 16 MiB is refused by either side", async () => {
    const { connection } = await serve({ "/t/Echo": echo, "/t/Big": (call) => call.send(Buffer.alloc(16 * 1024 * 1024 + 1)) });
    await expect(collect(openGrpcStream(connection, "/t/Big").messages)).rejects.toMatchObject({ status: GrpcStatus.RESOURCE_EXHAUSTED });
    const stream = openGrpcStream(connection, "/t/Echo");
    stream.send(Buffer.alloc(16 * 1024 * 1024 + 1)).catch(() => {});
    await expect(collect(stream.messages)).rejects.toMatchObject({ status: GrpcStatus.RESOURCE_EXHAUSTED });
  });

  test("sending fails once the peer has answered", async () => {
    const { connection } = await serve({
      "/t/No": async () => {
        throw new GrpcError(GrpcStatus.FAILED_PRECONDITION, "no");
      },
    });
    const stream = openGrpcStream(connection, "/t/No");
    const pour = async () => {
      for (;;) await stream.send(Buffer.alloc(64 * 1024));
    };
    await expect(pour()).rejects.toMatchObject({ status: GrpcStatus.FAILED_PRECONDITION });
  });

  test("a server that is no gRPC server", async () => {
    const { connection } = await serve({});
    const { status } = await connection.request({ path: "/" });
    expect(status).toBe(415);
  });
});

describe("cancelling", () => {
  const hold = (calls: GrpcCall[]) => (call: GrpcCall) => {
    calls.push(call);
    return new Promise<void>((_, reject) => call.signal.addEventListener("abort", () => reject(call.signal.reason)));
  };

  test("the client's signal aborts the call on both sides", async () => {
    const calls: GrpcCall[] = [];
    const { connection } = await serve({ "/t/Hold": hold(calls), "/t/Echo": echo });
    const controller = new AbortController();
    const stream = openGrpcStream(connection, "/t/Hold", { signal: controller.signal });
    const other = openGrpcStream(connection, "/t/Echo");
    await other.send(Buffer.from("after"));
    other.end();
    await collect(other.messages);
    controller.abort();
    await expect(collect(stream.messages)).rejects.toMatchObject({ code: "ABORTED" });
    await expect(stream.send(Buffer.from("x"))).rejects.toMatchObject({ code: "ABORTED" });
    await aborted(calls[0] as GrpcCall);
    expect(calls[0]?.signal.reason).toMatchObject({ status: GrpcStatus.CANCELLED });
  });

  test("a signal that is aborted already opens nothing", async () => {
    const { connection } = await serve({});
    expect(() => openGrpcStream(connection, "/t/X", { signal: AbortSignal.abort() })).toThrow(expect.objectContaining({ code: "ABORTED" }));
  });

  test("a cancelled reader of the server wakes up", async () => {
    let outcome: unknown;
    const { promise, resolve } = Promise.withResolvers<void>();
    const { connection } = await serve({
      "/t/Read": async (call) => {
        await call.send(Buffer.from("go"));
        outcome = await collect(call.messages).catch((error: unknown) => error);
        resolve();
      },
    });
    const stream = openGrpcStream(connection, "/t/Read");
    for await (const _ of stream.messages) break;
    stream.cancel();
    await promise;
    expect(outcome).toMatchObject({ status: GrpcStatus.CANCELLED });
  });

  test("the deadline ends the call on both sides", async () => {
    const calls: GrpcCall[] = [];
    const { connection } = await serve({ "/t/Hold": hold(calls) });
    await expect(collect(openGrpcStream(connection, "/t/Hold", { timeoutMs: 30 }).messages)).rejects.toMatchObject({ status: GrpcStatus.DEADLINE_EXCEEDED });
    await aborted(calls[0] as GrpcCall);
    expect(calls[0]?.metadata.get("grpc-timeout")).toBe("30m");
  });

  test("a lost connection is UNAVAILABLE", async () => {
    const calls: GrpcCall[] = [];
    const [left, right] = await streamPair("socket");
    const connection = openHttp2Connection(left);
    serveGrpc(right, { "/t/Hold": hold(calls) });
    const stream = openGrpcStream(connection, "/t/Hold");
    await connection.ping();
    right.destroy();
    await expect(collect(stream.messages)).rejects.toMatchObject({ status: GrpcStatus.UNAVAILABLE, cause: { code: "CONNECTION_LOST", retryable: true } });
    expect(await connection.closed).toMatchObject({ code: "CONNECTION_LOST" });
  });
});

test("metadata arrives, repeated values apart; the protocol's own names can't be set", async () => {
  const { connection } = await serve({
    "/t/Meta": async ({ metadata, send }) => {
      for (const name of ["include-patterns", "dir-name", "content-type", "grpc-timeout"]) await send(Buffer.from(JSON.stringify(metadata.getAll(name))));
    },
  });
  const metadata = { "include-patterns": ["a,b", "c"], "Dir-Name": "/x", "content-type": "text/plain", "grpc-timeout": "1n" };
  const stream = openGrpcStream(connection, "/t/Meta", { metadata });
  expect(await collect(stream.messages)).toEqual(['["a,b","c"]', '["/x"]', '["application/grpc"]', "[]"]);
});

test("a server goes when its signal says so, and its calls with it", async () => {
  const [left, right] = await streamPair("pair");
  const controller = new AbortController();
  const connection = openHttp2Connection(left);
  const server = serveGrpc(right, { "/t/Echo": echo }, { signal: controller.signal });
  const stream = openGrpcStream(connection, "/t/Echo");
  await connection.ping();
  controller.abort();
  expect(await server.closed).toMatchObject({ code: "ABORTED" });
  await expect(collect(stream.messages)).rejects.toMatchObject({ status: GrpcStatus.UNAVAILABLE });
  await connection.closed;
});

describe("back-pressure", () => {
  test("a server that does not read holds the client back", async () => {
    const { promise: go, resolve: read } = Promise.withResolvers<void>();
    const { connection } = await serve({
      "/t/Slow": async (call) => {
        await go;
        let bytes = 0;
        for await (const message of call.messages) bytes += message.length;
        await call.send(Buffer.from(String(bytes)));
      },
    });
    const stream = openGrpcStream(connection, "/t/Slow");
    const chunk = Buffer.alloc(64 * 1024);
    let sent = 0;
    const sending = (async () => {
      for (let i = 0; i < 400; i++) {
        await stream.send(chunk);
        sent += chunk.length;
      }
      stream.end();
    })();
    await connection.ping();
    for (let i = 0; i < 50; i++) await connection.ping();
    expect(sent).toBeGreaterThan(1024 * 1024);
    expect(sent).toBeLessThan(3 * 1024 * 1024);
    read();
    await sending;
    expect(await collect(stream.messages)).toEqual([String(400 * chunk.length)]);
  });
});

async function aborted(call: GrpcCall): Promise<void> {
  if (!call.signal.aborted) await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
}
