import { expect, test } from "vitest";

import { queryFailed } from "./query.ts";

test("the errors of an answer in one, without the engine's markers", () => {
  const marker = "[traceparent:4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7]";
  const error = queryFailed([{ message: `exit code: 1 ${marker}`, path: ["container", "withExec"] }, { message: "second" }]);
  expect(error).toMatchObject({ code: "QUERY_FAILED", message: "exit code: 1\nsecond", hint: undefined });
  expect(error.details?.["errors"]).toMatchObject([{ path: ["container", "withExec"] }, { message: "second" }]);
});

test("a full disk is no matter of the pipeline", () => {
  expect(queryFailed([{ message: "error from receiver: write /out/a: no space left on device" }]).hint).toMatch(/^make room /);
});
