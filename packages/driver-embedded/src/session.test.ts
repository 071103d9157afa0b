import { openHttp2Connection, clientMetadataHeader, readText, requestUpgrade } from "@anyrunner/protocol";
import type { TelemetryEvent } from "@anyrunner/engine";
import { afterEach, describe, expect, test } from "vitest";

import { openTestSession, type TestSession } from "./test-session.ts";

let opened: TestSession[] = [];

afterEach(async () => {
  await Promise.all(opened.map((each) => each.close()));
  opened = [];
});

const start = async (options: Parameters<typeof openTestSession>[0] = {}) => {
  const at = await openTestSession(options);
  opened.push(at);
  return at;
};

test("the engine says what it is", async () => {
  const at = await start();
  expect(at.session.engine).toMatchObject({ package: "github.com/dagger/dagger", version: "v0.21.8+anyrunner" });
  expect(await at.query("{version}")).toEqual({ version: "v0.21.8" });
});

test("equal calls give equal ids, and ids find their object again", async () => {
  const at = await start();
  const { directory: first } = await at.query('{directory{withNewFile(path:"a",contents:"x"){id sync}}}');
  const { directory: second } = await at.query('{directory{withNewFile(contents:"x",path:"a"){id}}}');
  expect(second.withNewFile.id).toBe(first.withNewFile.id);
  expect(first.withNewFile.sync).toBe(first.withNewFile.id);
  expect(await at.query(`{node(id:"${first.withNewFile.id}"){__typename ... on Directory{entries}}}`)).toEqual({
    node: { __typename: "Directory", entries: ["a"] },
  });
  expect(await at.failure(`{loadContainerFromID(id:"${first.withNewFile.id}"){id}}`)).toMatchObject({
    message: "load Container: expected Container, got Directory",
  });
});

test("an invalid query is refused with 422, a broken body with 400, both in GraphQL form", async () => {
  const at = await start();
  const post = (body: string) => at.session.request({ method: "POST", path: "/query", headers: { "content-type": "application/json" }, body });
  const invalid = await post(JSON.stringify({ query: "{nope}" }));
  expect(invalid.status).toBe(422);
  expect(JSON.parse(await readText(invalid.body, { limitBytes: 1e6 }))).toEqual({
    data: null,
    errors: [{ message: 'Cannot query field "nope" on type "Query". Did you mean "node"?', extensions: { code: "GRAPHQL_VALIDATION_FAILED" } }],
  });
  const broken = await post("nope");
  expect(broken.status).toBe(400);
  expect(broken.headers["content-type"]).toBe("text/plain; charset=utf-8");
  await readText(broken.body, { limitBytes: 1e6 });
});

test("a state folder that can't be one is a typed answer, not a query that hangs", async () => {
  const at = await start({ state: "/dev/null/state" });
  const response = await at.session.request({ method: "POST", path: "/query", headers: { "content-type": "application/json" }, body: '{"query":"{version}"}' });
  expect(response.status).toBe(500);
  expect(JSON.parse(await readText(response.body, { limitBytes: 1e6 })).errors[0]).toMatchObject({
    message: expect.stringContaining("/dev/null/state can't hold") as string,
    extensions: { _type: "PERMISSION_DENIED" },
  });
});

test("spans and output of commands reach the client before its session has closed", async () => {
  const events: TelemetryEvent[] = [];
  const at = await start({ onTelemetry: (event) => void events.push(event) });
  await at.query('{container{from(address:"base:1"){withExec(args:["echo","out loud"]){stdout}}}}');
  await at.session.close();
  const text = JSON.stringify(events, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  expect(text).toContain("withExec echo");
  expect(text).toContain("out loud\\n");
});

describe("clients", () => {
  const dial = async (at: TestSession) => openHttp2Connection((await at.runner.connect()).stream);
  const ask = async (at: TestSession, header: string | undefined, path = "/query") => {
    const connection = await dial(at);
    const response = await connection.request({
      method: "POST",
      path,
      headers: { "content-type": "application/json", ...(header === undefined ? {} : { "x-dagger-client-metadata": header }) },
      body: '{"query":"{version}"}',
    });
    const text = await readText(response.body, { limitBytes: 1e6 });
    connection.destroy();
    return { status: response.status, text };
  };

  test("without metadata, too old, or with another token are refused in the engine's words", async () => {
    const at = await start();
    expect(await ask(at, undefined)).toMatchObject({ status: 500, text: expect.stringContaining("client metadata") as string });
    expect(await ask(at, clientMetadataHeader({ clientId: "c", clientSecretToken: "s", sessionId: "x", clientVersion: "v0.18.0" }), "/init")).toMatchObject({
      status: 500,
      text: "incompatible client version v0.18.0\n",
    });
  });

  test("answer a query without attachables, as long as it needs none", async () => {
    const at = await start();
    const header = clientMetadataHeader({ clientId: "c", clientSecretToken: "s", sessionId: "own", clientVersion: "v0.21.8" });
    expect(await ask(at, header)).toEqual({ status: 200, text: '{"data":{"version":"v0.21.8"}}' });
  });

  test("of a session with a known id must show the same token", async () => {
    const at = await start();
    const metadata = { clientId: "c", sessionId: "kept", clientVersion: "v0.21.8" };
    const { stream } = await at.runner.connect();
    await requestUpgrade(stream, {
      path: "/sessionAttachables",
      headers: [["x-dagger-client-metadata", clientMetadataHeader({ ...metadata, clientSecretToken: "right" })]],
    });
    expect(await ask(at, clientMetadataHeader({ ...metadata, clientSecretToken: "wrong" }), "/init")).toMatchObject({
      status: 500,
      text: 'client "c" already exists with different secret token\n',
    });
    stream.destroy();
  });

  test("that vanish take their session and what runs in it along", async () => {
    const started = Promise.withResolvers<void>();
    const at = await start({
      gate: () => {
        started.resolve();
        return new Promise<void>(() => {});
      },
    });
    const second = await at.open();
    const running = second.query({ query: '{container{from(address:"base:1"){withExec(args:["echo","x"]){stdout}}}}' }).catch((error: unknown) => error);
    await started.promise;
    await second.close();
    await running;
    await expect.poll(() => at.executor.calls.at(-1)).toBe("close");
  });
});
