import { RunnerError } from "@anyrunner/core";
import { expect, test } from "vitest";

import { engineStartError } from "./engine-start-error.ts";

const LOG = "one\ntwo\nthree\nfour\nfive\ndagger-engine: failed to parse config: json\n";
const options = { driver: "podman", name: "e", log: LOG, logCommand: "podman logs e" };

test("an engine that has ended: what its last words mean", () => {
  expect(engineStartError(new RunnerError("NOT_RUNNING", "it ended", { retryable: true }), options)).toMatchObject({
    code: "INVALID_CONFIG",
    message:
      'the engine "e" does not start: it does not understand its engine.json\nits last words:\ntwo\nthree\nfour\nfive\ndagger-engine: failed to parse config: json',
    hint: expect.stringContaining("correct the file"),
    retryable: false,
    driver: "podman",
    details: { container: "e", lastOutput: LOG, requirement: "configuration" },
  });
});

test.each([
  ["podman", ", podman system prune"],
  ["kubernetes", ""],
])("a full disk is cleared by the means of %s", (driver, command) => {
  const told = engineStartError(new RunnerError("NOT_RUNNING", "it ended"), { ...options, driver, log: "database or disk is full (13)" });
  expect(told).toMatchObject({ code: "NOT_AVAILABLE", hint: `make room: anyrunner du, anyrunner prune${command}` });
});

test.each([
  ["that runs and does not answer", new RunnerError("TIMEOUT", "no answer"), LOG],
  ["that ended without a known reason", new RunnerError("NOT_RUNNING", "it ended"), "bye"],
])("an engine %s keeps its code, and the log is named", (_, error, log) => {
  const told = engineStartError(error, { ...options, log });
  expect(told).toMatchObject({
    code: error.code,
    message: expect.stringContaining(`was started but does not answer: ${error.message}`),
    hint: "see its log: podman logs e",
  });
  expect(told.details).toEqual({ container: "e", lastOutput: log });
});
