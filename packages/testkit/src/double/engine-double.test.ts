import {
  callUnary,
  clientMetadataHeader,
  Control,
  GrpcError,
  Health,
  openHttp2Connection,
  readServerSentEvents,
  readText,
  requestUpgrade,
  serveGrpc,
  ServingStatus,
  unaryHandler,
  type GrpcHandler,
  type Http2Connection,
} from "@anyrunner/protocol";
import { encodeStat, fileStat } from "@anyrunner/filesync";
import { describe, expect, test } from "vitest";

import { createEngineDouble, type EngineDouble } from "./engine-double.ts";
import type { FaultAction } from "./engine-fault.ts";

const METADATA = { clientId: "c1", clientSecretToken: "s1", sessionId: "x1", clientVersion: "v0.21.8" };
const HEADERS = { "x-dagger-client-metadata": clientMetadataHeader(METADATA), "content-type": "application/json" };

const health: GrpcHandler = unaryHandler(Health.check, () => ({ status: ServingStatus.SERVING }));
/** The least client: its disk has the directory `/work` and nothing else. */
const fileSync: GrpcHandler = async (call) => {
  const { path, get_abs_path_only: absolute } = JSON.parse(Buffer.from(call.metadata.get("x-dagger-local-import-opts") ?? "", "base64").toString()) as {
    path: string;
    get_abs_path_only: boolean;
  };
  if (!absolute) throw new GrpcError(5, `stat path: lstat ${path}: no such file or directory`);
  await call.send(encodeStat(fileStat({ path: "/work" })));
};

async function attach(
  double: EngineDouble,
  metadata = METADATA,
  routes: Record<string, GrpcHandler> = { [Health.check.path]: health, "/moby.filesync.v1.FileSync/DiffCopy": fileSync },
) {
  const stream = double.dial();
  await requestUpgrade(stream, {
    path: "/sessionAttachables",
    headers: [
      ["X-Dagger-Client-Metadata", clientMetadataHeader(metadata)],
      ...Object.keys(routes).map((path) => ["X-Docker-Expose-Session-Grpc-Method", path] as const),
    ],
  });
  return serveGrpc(stream, routes);
}

async function ask(connection: Http2Connection, query: string, headers: Record<string, string> = HEADERS) {
  const response = await connection.request({ method: "POST", path: "/query", headers, body: JSON.stringify({ query }) });
  return { status: response.status, type: response.headers["content-type"], text: await readText(response.body, { limitBytes: 1 << 20 }) };
}

const info = (connection: Http2Connection) => callUnary(connection, Control.info, {});

describe("Info", () => {
  test("says what it is told to say", async () => {
    await using double = createEngineDouble({ info: { package: "github.com/moby/buildkit", version: "v0.12.0", revision: "r", numCpu: 0 } });
    const answer = await info(openHttp2Connection(double.dial()));
    expect(answer.buildkitVersion).toMatchObject({ package: "github.com/moby/buildkit", version: "v0.12.0", revision: "r" });
    expect(answer.systemInfo).toBeUndefined();
  });

  test("can differ from connection to connection, as behind a load balancer", async () => {
    await using double = createEngineDouble({ info: (connection) => ({ revision: `engine-${connection % 2}` }) });
    const answers = await Promise.all([0, 1, 2].map(() => info(openHttp2Connection(double.dial()))));
    expect(answers.map((answer) => answer.buildkitVersion?.revision)).toEqual(["engine-0", "engine-1", "engine-0"]);
  });

  test("is unavailable as often as it is told, and counts", async () => {
    await using double = createEngineDouble({ faults: [{ at: "info", action: { grpc: "UNAVAILABLE", message: "starting" }, times: 2 }] });
    const connection = openHttp2Connection(double.dial());
    await expect(info(connection)).rejects.toMatchObject({ status: 14, message: "starting" });
    await expect(info(connection)).rejects.toMatchObject({ status: 14 });
    await expect(info(connection)).resolves.toBeDefined();
    expect(double.count("info")).toBe(3);
  });
});

describe("session", () => {
  test("a query waits for the attachables, walks up the client's disk once, and is answered", async () => {
    await using double = createEngineDouble();
    const connection = openHttp2Connection(double.dial());
    const early = ask(connection, "{version}");
    await attach(double);
    expect(await early).toEqual({ status: 200, type: "application/json", text: '{"data":{"version":"v0.21.8"}}' });
    expect(await ask(connection, "{ version }")).toMatchObject({ status: 200 });
    // "." and then .git and dagger.json in /work and in /.
    expect(double.count("attached")).toBe(5);
  });

  test("without attachables a query fails after the wait", async () => {
    await using double = createEngineDouble({ attachWaitMs: 1 });
    expect(await ask(openHttp2Connection(double.dial()), "{version}")).toEqual({
      status: 200,
      type: "text/plain; charset=utf-8",
      text: '{"data":null,"errors":[{"message":"waiting for client session attachables: context deadline exceeded"}]}',
    });
  });

  test("a client whose disk fails with anything but NOT_FOUND gets no query through, again and again", async () => {
    await using double = createEngineDouble();
    await attach(double, METADATA, { "/moby.filesync.v1.FileSync/DiffCopy": () => Promise.reject(new GrpcError(13, "disk on fire")) });
    const connection = openHttp2Connection(double.dial());
    for (let turn = 0; turn < 2; turn++)
      expect(await ask(connection, "{version}")).toMatchObject({ status: 500, text: expect.stringContaining("loading workspace: disk on fire") });
    expect(double.count("attached")).toBe(1);
  });

  test.each([
    ["no metadata", {}, /failed to get client metadata/],
    [
      "an old version",
      { "x-dagger-client-metadata": clientMetadataHeader({ ...METADATA, clientId: "c2", clientVersion: "0.18.0" }) },
      /incompatible client version v0\.18\.0/,
    ],
    [
      "another token",
      { "x-dagger-client-metadata": clientMetadataHeader({ ...METADATA, clientSecretToken: "s2" }) },
      /client \\"c1\\" already exists with different secret token/,
    ],
    ["no session", { "x-dagger-client-metadata": clientMetadataHeader({ ...METADATA, sessionId: "" }) }, /session ID is required/],
  ])("refuses a query with %s", async (_, headers, text) => {
    await using double = createEngineDouble();
    await attach(double);
    expect(await ask(openHttp2Connection(double.dial()), "{version}", headers)).toMatchObject({ status: 500, text: expect.stringMatching(text) });
  });

  test("a second attachables connection of one client is refused; when the first is gone the client is, too", async () => {
    await using double = createEngineDouble();
    const first = await attach(double);
    await expect(attach(double)).rejects.toMatchObject({ status: 400, body: expect.stringContaining('session attachables for client "c1" already exist') });
    first.destroy();
    await first.closed;
    await expect.poll(() => double.clients.size).toBe(0);
  });

  test("after the shutdown queries are refused and event streams end", async () => {
    await using double = createEngineDouble();
    await attach(double);
    const connection = openHttp2Connection(double.dial());
    const events: string[] = [];
    const { body } = await connection.request({ path: "/v1/logs", headers: HEADERS });
    double.pushTelemetry({ kind: "spans", data: {} });
    double.pushTelemetry({ kind: "logs", data: { resourceLogs: [] } });
    const read = (async () => {
      for await (const { event, data } of readServerSentEvents(body)) events.push(`${event} ${data}`);
    })();
    const ended = await connection.request({ method: "POST", path: "/shutdown", headers: HEADERS });
    expect(ended.status).toBe(200);
    await read;
    expect(events).toEqual(["subscribed ", 'logs {"resourceLogs":[]}']);
    expect(await ask(connection, "{version}")).toMatchObject({ status: 503, text: expect.stringContaining("session is closing") });
  });

  test("telemetry of an unknown client, another method and another path are refused", async () => {
    await using double = createEngineDouble();
    const connection = openHttp2Connection(double.dial());
    const status = async (method: string, path: string) => (await connection.request({ method, path, headers: HEADERS })).status;
    expect([await status("GET", "/v1/traces"), await status("POST", "/v1/traces"), await status("GET", "/nothing"), await status("POST", "/init")]).toEqual([
      200, 405, 404, 204,
    ]);
  });

  test("scripts see query and variables, and may fail", async () => {
    await using double = createEngineDouble({
      answer: ({ query, variables, operationName }) =>
        query === "{bad}" ? Promise.reject(new Error("broken")) : { data: { query, variables, operationName } },
    });
    await attach(double);
    const connection = openHttp2Connection(double.dial());
    const response = await connection.request({
      method: "POST",
      path: "/query",
      headers: { ...HEADERS, accept: "application/graphql-response+json" },
      body: JSON.stringify({ query: "{a}", variables: { b: 1 }, operationName: "c" }),
    });
    expect(response.headers["content-type"]).toBe("application/graphql-response+json");
    expect(JSON.parse(await readText(response.body, { limitBytes: 1000 }))).toEqual({ data: { query: "{a}", variables: { b: 1 }, operationName: "c" } });
    expect(await ask(connection, "{bad}")).toMatchObject({ status: 200, text: '{"errors":[{"message":"broken"}],"data":null}' });
  });
});

describe("faults", () => {
  test("garbage instead of an engine", async () => {
    await using double = createEngineDouble({ faults: [{ at: "stream", action: { bytes: "OCI runtime exec failed: no such file\r\n" } }] });
    await expect(info(openHttp2Connection(double.dial()))).rejects.toMatchObject({
      cause: { code: "WRONG_SERVER", message: expect.stringContaining("OCI runtime exec failed") },
    });
  });

  test("a first byte that comes late", async () => {
    let go: () => void = () => {};
    const wait = new Promise<void>((resolve) => (go = resolve));
    await using double = createEngineDouble({ faults: [{ at: "stream", action: { wait } }] });
    let answered = false;
    const answer = info(openHttp2Connection(double.dial())).then(() => (answered = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    go();
    expect(await answer).toBe(true);
  });

  test("refused metadata", async () => {
    await using double = createEngineDouble({
      faults: [{ at: "upgrade", action: { status: 500, text: "failed to get client metadata: unexpected end of JSON input" } }],
    });
    await expect(attach(double)).rejects.toMatchObject({ status: 500, body: "failed to get client metadata: unexpected end of JSON input" });
  });

  test.each<["query" | "answer" | "attached", FaultAction]>([
    ["query", "cut"],
    ["answer", "cut"],
    ["query", "die"],
    ["attached", "die"],
  ])("at %s: %s", async (at, action) => {
    await using double = createEngineDouble({ faults: [{ at, action }] });
    const server = await attach(double);
    const connection = openHttp2Connection(double.dial());
    await expect(ask(connection, "{version}")).rejects.toMatchObject({ code: "CONNECTION_LOST" });
    await connection.closed;
    if (action === "die") await server.closed;
    expect(double.streamCount()).toBe(action === "die" ? 0 : 1);
  });

  test.each(["shutdown", "telemetry"] as const)("hangs at %s until the client gives up", async (at) => {
    await using double = createEngineDouble({ faults: [{ at, action: "hang" }] });
    await attach(double);
    const connection = openHttp2Connection(double.dial());
    const controller = new AbortController();
    const path = at === "shutdown" ? "/shutdown" : "/v1/traces";
    const response = connection.request({ method: at === "shutdown" ? "POST" : "GET", path, headers: HEADERS, signal: controller.signal });
    const whole = response.then(({ body }) => readText(body, { limitBytes: 1000 }));
    await expect.poll(() => double.count(at)).toBe(1);
    controller.abort();
    await expect(whole).rejects.toMatchObject({ code: "ABORTED" });
  });

  test("can be set later, strike a limited number of times, and pass some by first", async () => {
    await using double = createEngineDouble();
    await attach(double);
    const connection = openHttp2Connection(double.dial());
    double.setFaults([{ at: "query", action: { status: 503, text: "engine is shutting down" }, skip: 1, times: 1 }]);
    const statuses: number[] = [];
    for (let turn = 0; turn < 3; turn++) statuses.push((await ask(connection, "{version}")).status);
    expect(statuses).toEqual([200, 503, 200]);
  });
});

test("listens where it is told, counts arrivals, and is gone when it is killed", async () => {
  const double = createEngineDouble();
  const url = await double.listen();
  expect(url).toMatch(/^tcp:\/\/127\.0\.0\.1:\d+$/);
  const { connect } = await import("node:net");
  const socket = connect({ host: "127.0.0.1", port: Number(url.split(":")[2]) });
  const connection = openHttp2Connection(socket);
  await info(connection);
  expect(double.arrivals.map(({ at, connection: number }) => `${at} ${number}`)).toEqual(["stream 0", "info 0"]);
  await double.kill();
  await connection.closed;
  expect(double.streamCount()).toBe(0);
});
