import { Duplex } from "node:stream";

import { RunnerError, type ConnectionDiagnostics, type RunnerConnection } from "@anyrunner/core";
import { expect, test } from "vitest";

import { connectionLost } from "./connection-lost.ts";

const connection = (diagnostics: ConnectionDiagnostics, kind: RunnerConnection["kind"] = "relay"): RunnerConnection => ({
  stream: new Duplex(),
  kind,
  halfClose: true,
  closed: new Promise(() => {}),
  diagnostics: () => Promise.resolve(diagnostics),
});

const explain = (diagnostics: ConnectionDiagnostics, kind?: RunnerConnection["kind"]) =>
  connectionLost({
    runner: "docker-container://box",
    connection: connection(diagnostics, kind),
    doing: "while the engine was asked who it is",
    starting: true,
    now: Date.parse("2026-01-01T00:10:00Z"),
  });

test("an engine that gave no sign of life: that is told first, with its own remedy", async () => {
  const silence = new RunnerError("CONNECTION_LOST", "the engine has not answered a ping for 45 s", { hint: "check the network to the engine" });
  const diagnostics = { summary: "the connection is open" };
  const lost = await connectionLost({ runner: "unix:///x", connection: connection(diagnostics), error: silence, silence, doing: "while the session was open" });
  expect(lost).toMatchObject({
    message: "the connection to unix:///x ended while the session was open: the engine has not answered a ping for 45 s; the connection is open",
    hint: "check the network to the engine",
  });
});

test("an address where something answers nothing: what to look for there", async () => {
  const lost = await connectionLost({ runner: "tcp://host:1", connection: connection({}), doing: "while the engine was asked who it is", starting: true });
  expect(lost.hint).toBe("is it a Dagger engine that listens at tcp://host:1? look at its log");
});

test("a container that runs without an engine: whose exit code it is, how long it runs, and what to look for", async () => {
  const error = await explain({
    summary: 'the container "box" is running',
    startedAt: "2026-01-01T00:00:00Z",
    exitCode: 1,
    lastOutput: "dial unix /run/buildkit.sock: connection refused\n",
  });
  expect(error).toMatchObject({
    code: "CONNECTION_LOST",
    retryable: true,
    details: { exitCode: 1, runningForMs: 600_000 },
    hint: expect.stringContaining("does a Dagger engine run in it?"),
  });
  expect(error.message).toBe(
    'the connection to docker-container://box ended while the engine was asked who it is: the container "box" is running; the relay to the engine in it ended with exit code 1; last output: dial unix /run/buildkit.sock: connection refused',
  );
});

test.each([
  ["that the summary tells already", { summary: "it ended with exit code 3 at noon", exitCode: 3 }, "relay", "it ended with exit code 3 at noon"],
  [
    "although the summary has that digit",
    { summary: "it is running, restarted 1 times", exitCode: 1 },
    "relay",
    "it is running, restarted 1 times; the relay to the engine in it ended with exit code 1",
  ],
  ["of the far end itself", { exitCode: 2 }, "socket", "exit code 2"],
] as const)("an exit code %s", async (_, diagnostics, kind, told) => {
  expect((await explain(diagnostics, kind)).message).toBe(`the connection to docker-container://box ended while the engine was asked who it is: ${told}`);
});

test("of a program that explains its usage the error is told", async () => {
  const lastOutput = "Error: dial unix /run/dagger/engine.sock: no such file or directory\nUsage:\n  dial-stdio [flags]\n\nFlags:\n  -h, --help  help\n";
  expect((await explain({ lastOutput })).message).toMatch(/: last output: Error: dial unix \/run\/dagger\/engine\.sock: no such file or directory$/);
});

test("a relay that could not be started means no engine at all, and no second attempt", async () => {
  expect(await explain({ summary: "it is running", exitCode: 127 })).toMatchObject({ code: "WRONG_SERVER", retryable: false });
});

test("a far end that is something else than an engine is not tried again", async () => {
  const mismatch = { message: "what answers at tcp://box:1234 speaks TLS", hint: "use tls://box:1234" };
  expect(await explain({ summary: "the connection was ended", mismatch })).toMatchObject({ code: "WRONG_SERVER", retryable: false, ...mismatch });
});
