import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createEngineDouble, type EngineDouble } from "@anyrunner/testkit";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { connect, type ConnectOptions, type Session } from "./connect.ts";
import { createDaggerClient } from "./dagger.ts";

let home: string;
let engine: EngineDouble;
let url: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anyrunner-test-client-"));
  engine = createEngineDouble();
  url = await engine.listen();
});
afterEach(async () => {
  await engine.kill();
  await rm(home, { recursive: true });
});

const connectHere = (options: ConnectOptions = {}, env: Readonly<Record<string, string>> = {}) =>
  connect({ cwd: home, env: { HOME: home, ...env }, ...options });

describe("connect", () => {
  test("opens a session on the runner that is named, and closes it once", async () => {
    const session = await connectHere({ runner: url });
    expect(session).toMatchObject({ runner: url, engineVersion: "v0.21.8", from: { kind: "option", name: "runner" } });
    expect(await session.query({ query: "{version}" })).toEqual({ data: { version: "v0.21.8" } });
    await Promise.all([session.close(), session.close()]);
    expect(await session.ended).toEqual({ kind: "closed" });
    expect(engine.count("shutdown")).toBe(1);
    await expect.poll(() => engine.streamCount()).toBe(0);
  });

  test("chooses as the command does where none is named", async () => {
    await writeFile(join(home, "anyrunner.config.yaml"), `runner: ${url}\n`);
    await using session = await connectHere();
    expect(session.from).toEqual({ kind: "project", name: join(home, "anyrunner.config.yaml") });
  });

  test("joins the session that surrounds it, asks through its port, and leaves it open", async () => {
    await using outer = await connectHere({ runner: url });
    const inner = await connectHere({}, await outer.environment());
    expect(inner.runner).toBeUndefined();
    expect(await inner.query({ query: "{version}" })).toEqual({ data: { version: "v0.21.8" } });
    expect(await inner.environment()).toMatchObject({ DAGGER_SESSION_PORT: (await outer.environment()).DAGGER_SESSION_PORT });
    await inner.close();
    expect(await inner.ended).toEqual({ kind: "closed" });
    expect(await outer.query({ query: "{version}" })).toEqual({ data: { version: "v0.21.8" } });
  });

  test("opens one port however often the environment is asked for, and closes it with the session", async () => {
    const session = await connectHere({ runner: url });
    const [first, second] = await Promise.all([session.environment(), session.environment()]);
    expect(first).toEqual(second);
    expect(first.TRACEPARENT).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    await session.close();
    await expect(session.environment()).rejects.toMatchObject({ code: "ABORTED" });
    const late = await connectHere({}, first);
    await expect(late.query({ query: "{version}" })).rejects.toMatchObject({ code: "CONNECTION_REFUSED" });
  });

  test("fails typed: a scheme that nobody serves, a name that nobody gave, an abort", async () => {
    await expect(connectHere({ runner: "sokcet://x" })).rejects.toMatchObject({ code: "UNKNOWN_SCHEME" });
    await expect(connectHere({ runner: "nobody" })).rejects.toMatchObject({ code: "INVALID_URL" });
    await expect(connectHere({ runner: url, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    expect(engine.streamCount()).toBe(0);
  });
});

describe("the official SDK's client", () => {
  test("asks through the session, and several live side by side", async () => {
    await using one = await connectHere({ runner: url });
    await using another = await connectHere({ runner: url });
    const versions = await Promise.all([one, another].map((session: Session) => createDaggerClient(session).version()));
    expect(versions).toEqual(["v0.21.8", "v0.21.8"]);
  });

  test("fails with the SDK's own error where the engine refuses", async () => {
    await using session = await connectHere({ runner: url });
    await expect(createDaggerClient(session).container().from("nowhere").stdout()).rejects.toThrow();
  });
});
