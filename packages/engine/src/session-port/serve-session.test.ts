import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect as connectHttp2, type ClientHttp2Session } from "node:http2";
import { text } from "node:stream/consumers";

import { clientMetadataHeader } from "@anyrunner/protocol";
import { createEngineDouble, type EngineDouble, type EngineDoubleOptions } from "@anyrunner/testkit";
import { afterEach, describe, expect, test } from "vitest";

import { openSession, type EngineSession } from "../session.ts";
import { runnerOn } from "../test-runner.fixture.ts";
import { serveSession, type SessionServer } from "./serve-session.ts";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function serve(
  options: EngineDoubleOptions = {},
): Promise<{ readonly engine: EngineDouble; readonly session: EngineSession; readonly server: SessionServer }> {
  const engine = createEngineDouble(options);
  const session = await openSession(await runnerOn(() => engine.dial()), { env: {}, cwd: "/" });
  const server = await serveSession(session);
  cleanups.push(
    () => engine.kill(),
    () => session.close(),
    () => server.close(),
  );
  return { engine, session, server };
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

async function ask(
  server: SessionServer,
  body: string,
  options: { readonly path?: string; readonly token?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  const outgoing = httpRequest({
    port: server.port,
    host: "127.0.0.1",
    method: "POST",
    path: options.path ?? "/query",
    auth: `${options.token ?? server.token}:`,
    headers: { "content-type": "application/json", ...options.headers },
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, "response")) as [import("node:http").IncomingMessage];
  return { status: response.statusCode ?? 0, headers: response.headers, body: await text(response) };
}

describe("an SDK, over HTTP/1.1", () => {
  test("gets its answers", async () => {
    const { server } = await serve();
    const answer = await ask(server, '{"query":"{version}"}');
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toEqual({ data: { version: "v0.21.8" } });
  });

  test.each(["", "wrong", "x".repeat(36)])("is refused with the token %j", async (token) => {
    const { server, engine } = await serve();
    const answer = await ask(server, '{"query":"{version}"}', { token });
    expect(answer.status).toBe(401);
    expect(answer.headers["www-authenticate"]).toBe('Basic realm="Access to the Dagger engine session"');
    expect(engine.count("query")).toBe(0);
  });

  test("its trace goes on to the engine, its credentials and the query string don't", async () => {
    const { server, engine } = await serve();
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await ask(server, '{"query":"{version}"}', { path: "/query?x=1", headers: { traceparent } });
    const arrival = engine.arrivals.find(({ at }) => at === "query");
    expect(arrival?.headers).toMatchObject({ traceparent });
    expect(arrival?.headers?.["authorization"]).not.toContain(btoa(`${server.token}:`));
  });

  test("an engine that is gone is 502 with the reason", async () => {
    const { server, engine } = await serve();
    await engine.kill();
    const answer = await ask(server, '{"query":"{version}"}');
    expect(answer).toMatchObject({ status: 502, body: expect.stringContaining("test engine is gone") });
  });

  test("an answer that breaks in the middle is never taken for a whole one", async () => {
    const large = "x".repeat(3_000_000);
    const { server } = await serve({ answer: () => ({ data: { large } }), faults: [{ at: "answer", action: "cut" }] });
    const outcome = await ask(server, '{"query":"{large}"}').catch((error: unknown) => error);
    // Whether its head had left the engine is a matter of timing.
    expect(outcome instanceof Error || (outcome as Answer).status === 502).toBe(true);
  });

  test("many at once", async () => {
    const { server } = await serve();
    const answers = await Promise.all(Array.from({ length: 64 }, () => ask(server, '{"query":"{version}"}')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
  });
});

describe("the official CLI as a child, over HTTP/2 with prior knowledge", () => {
  const metadata = { clientId: "child", clientSecretToken: "other", sessionId: "othersession", workspace: "github.com/x/y", singleQuery: true };

  function child(server: SessionServer): { readonly http2: ClientHttp2Session; send(method: string, path: string, body?: string): Promise<Answer> } {
    const http2 = connectHttp2(`http://127.0.0.1:${server.port}`);
    cleanups.push(async () => http2.destroy());
    return {
      http2,
      async send(method, path, body) {
        const stream = http2.request({
          ":method": method,
          ":path": path,
          authorization: `Basic ${btoa(`${server.token}:`)}`,
          "x-dagger-client-metadata": clientMetadataHeader(metadata),
        });
        stream.end(body);
        const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
        return { status: Number(headers[":status"]), headers, body: await text(stream) };
      },
    };
  }

  test("asks under the identity of the session, with its own facts about the work", async () => {
    const { server, engine } = await serve();
    expect(await child(server).send("POST", "/query", '{"query":"{version}"}')).toMatchObject({ status: 200, body: expect.stringContaining("v0.21.8") });
    const header = engine.arrivals.find(({ at }) => at === "query")?.headers?.["x-dagger-client-metadata"];
    const seen: unknown = JSON.parse(Buffer.from(String(header), "base64").toString());
    expect(seen).toMatchObject({ workspace: "github.com/x/y" });
    expect(seen).not.toMatchObject({ client_id: "child" });
    expect(seen).not.toHaveProperty("single_query");
  });

  test("large answers arrive whole, one after the other", async () => {
    const large = "x".repeat(2_000_000);
    const { server } = await serve({ answer: () => ({ data: { large } }) });
    const { send } = child(server);
    for (let time = 0; time < 3; time++) expect((await send("POST", "/query", '{"query":"{large}"}')).body.length).toBeGreaterThan(2_000_000);
  });

  test("its shutdown ends its telemetry in good order, and not the session", async () => {
    const { server, session, engine } = await serve();
    const { send } = child(server);
    const telemetry = send("GET", "/v1/traces");
    expect((await send("POST", "/shutdown")).status).toBe(200);
    expect(await telemetry).toMatchObject({ status: 200, body: expect.stringContaining("subscribed") });
    expect(engine.count("shutdown")).toBe(0);
    expect(await session.query({ query: "{version}" })).toEqual({ data: { version: "v0.21.8" } });
  });
});

test("closing cuts what is running and frees the port", async () => {
  const { server, engine } = await serve({ faults: [{ at: "query", action: "hang" }] });
  const running = ask(server, '{"query":"{version}"}').catch((error: unknown) => error);
  await expect.poll(() => engine.count("query")).toBe(1);
  await server.close();
  expect(await running).toBeInstanceOf(Error);
  await expect(ask(server, "{}")).rejects.toThrow(/ECONNREFUSED/);
});
