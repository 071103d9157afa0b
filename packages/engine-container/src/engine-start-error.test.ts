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
