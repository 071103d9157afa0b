import { expect, test } from "vitest";

import { handleOfError } from "./handle-of-error.ts";
import { RunnerError } from "./runner-error.ts";

const handle = { driver: "kubernetes", id: "1", endpoint: { pod: "engine-0" }, owned: false, labels: {} };

test("an error that names its runner gives its handle, also when it comes from another process", () => {
  expect(handleOfError(new RunnerError("NOT_RUNNING", "it is over", { details: { handle } }))).toEqual(handle);
});

test.each<[string, unknown]>([
  ["no error of ours", new Error("x")],
  ["no details", new RunnerError("NOT_RUNNING", "x")],
  ["no runner among them", new RunnerError("NOT_RUNNING", "x", { details: { pod: "engine-0" } })],
  ["something else in its stead", new RunnerError("NOT_RUNNING", "x", { details: { handle: "engine-0" } })],
  ["a part of one", new RunnerError("NOT_RUNNING", "x", { details: { handle: { ...handle, endpoint: [] } } })],
])("%s: none", (_, error) => {
  expect(handleOfError(error)).toBeUndefined();
});
