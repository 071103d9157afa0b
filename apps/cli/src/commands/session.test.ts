import { createEngineDouble, type EngineDouble } from "@anyrunner/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";

import { createCliHarness, streamsClosed, type CliHarness, type RunningCli } from "../test-cli.ts";

let cli: CliHarness;
let double: EngineDouble;
let runner: string;
beforeAll(async () => {
  cli = await createCliHarness();
});
afterAll(() => cli.remove());
beforeEach(async () => {
  double = createEngineDouble();
  runner = await double.listen();
});
afterEach(async () => {
  await streamsClosed(double);
  await double.kill();
});

const startSession = (...flags: string[]) => cli.start(["session", ...flags], { env: { _EXPERIMENTAL_DAGGER_RUNNER_HOST: runner } });

async function opened(session: RunningCli): Promise<{ port: number; session_token: string }> {
  await session.waitFor("}\n");
  return JSON.parse(session.stdout()) as { port: number; session_token: string };
}

function query(port: number, token: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/query`, {
    method: "POST",
    body: '{"query":"{version}"}',
    headers: { "content-type": "application/json", authorization: `Basic ${Buffer.from(`${token}:`).toString("base64")}` },
  });
}

test("prints one line, serves with its token, and ends with its standard input", async () => {
  const session = await startSession();
  const { port, session_token: token } = await opened(session);
  expect(await (await query(port, token)).json()).toEqual({ data: { version: "v0.21.8" } });
  const refused = await query(port, "wrong");
  expect([refused.status, refused.headers.get("www-authenticate")]).toEqual([401, 'Basic realm="Access to the Dagger engine session"']);
  session.stdin.end();
  const { exitCode, stdout, stderr } = await session.ended;
  expect({ exitCode, stdout }).toEqual({ exitCode: 0, stdout: `${JSON.stringify({ port, session_token: token })}\n` });
  expect(stderr).toBe(`runner ${runner} · engine v0.21.8 · from variable _EXPERIMENTAL_DAGGER_RUNNER_HOST\n`);
  expect(double.count("shutdown")).toBe(1);
});

test.each([["SIGINT"], ["SIGTERM"]] as const)("%s ends it with exit code 0", async (signal) => {
  const session = await startSession();
  await opened(session);
  session.kill(signal);
  expect((await session.ended).exitCode).toBe(0);
  expect(double.count("shutdown")).toBe(1);
});

test("takes what SDKs of all ages pass, and states their version", async () => {
  const session = await startSession(
    ..."--workdir / --project x --version 0.20.1 -vv --silent --progress tty -W . --load-workspace-modules".split(" "),
    ..."--label dagger.io/sdk.name:nodejs --label dagger.io/sdk.version:0.21.9 --label odd".split(" "),
  );
  await opened(session);
  const [client] = [...double.clients.values()];
  expect(client?.metadata).toMatchObject({
    clientVersion: "v0.20.1",
    labels: { "dagger.io/sdk.name": "nodejs", "dagger.io/sdk.version": "0.21.9", odd: "" },
    loadWorkspaceModules: true,
  });
  expect(client?.metadata.clientStableId).toMatch(/^[a-z0-9]{25}$/);
  session.stdin.end();
  expect(await session.ended).toMatchObject({ exitCode: 0, stderr: "" });
});

test.each([
  ["0.21.9", "v0.21.9"],
  ["n/a", "v0.21.8"],
  ["0.0.0", "v0.21.8"],
  ["0.0.0-dev", "v0.21.8"],
])("the SDK's label %s makes the client version %s", async (label, version) => {
  const session = await startSession("--label", `dagger.io/sdk.version:${label}`);
  await opened(session);
  expect([...double.clients.values()][0]?.metadata.clientVersion).toBe(version);
  session.stdin.end();
  await session.ended;
});

test("both kinds of module loading at once are refused", async () => {
  expect(await cli.run(["session", "--load-workspace-modules", "--skip-workspace-modules"])).toMatchObject({ exitCode: 2, stdout: "" });
});

test("an engine that dies ends it with exit code 1 and the reason", async () => {
  const session = await startSession();
  await opened(session);
  await double.kill();
  const { exitCode, stderr } = await session.ended;
  expect(exitCode).toBe(1);
  expect(stderr).toContain("#connection_lost");
});

test("the end of standard input while connecting is an end, too", async () => {
  double.setFaults([{ at: "info", action: "hang" }]);
  const session = await startSession();
  await vi.waitFor(() => expect(double.count("info")).toBe(1), { timeout: 60_000 });
  session.stdin.end();
  expect(await session.ended).toMatchObject({ exitCode: 0, stdout: "" });
});

test("inside a session it hands on that one", async () => {
  const session = await cli.start(["session"], { env: { DAGGER_SESSION_PORT: "4444", DAGGER_SESSION_TOKEN: "token" } });
  expect(await opened(session)).toEqual({ port: 4444, session_token: "token" });
  session.stdin.end();
  expect((await session.ended).exitCode).toBe(0);
});
