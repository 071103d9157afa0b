import { expect, test } from "vitest";

import * as author from "@anyrunner/core/driver";
import * as all from "@anyrunner/core";

test("authors get what drivers are written with, and nothing that opens or chooses runners", () => {
  expect(Object.keys(author).toSorted()).toEqual([
    "ENGINE_PACKAGE",
    "ERROR_CODES",
    "RunnerError",
    "STOP_GRACE_MS",
    "abortedError",
    "baseEngineVersion",
    "checkDriver",
    "compareEngineVersions",
    "formatRunnerUrl",
    "handleOfError",
    "isErrorCode",
    "isLoopback",
    "networkFailure",
    "normalizeEngineVersion",
    "orAborted",
    "parseEngineVersion",
    "parseRunnerUrl",
    "pause",
    "readOptions",
    "redact",
    "redactValue",
    "runnerErrorFromJson",
    "secretTexts",
    "serializeRunnerUrl",
    "signalWithin",
    "suggest",
    "throwIfAborted",
    "unavailable",
    "urlSecrets",
    "watchClose",
    "withinBudget",
  ]);
});

test("each of them is the one that users get", () => {
  for (const [name, value] of Object.entries(author)) expect(Object.entries(all)).toContainEqual([name, value]);
});
