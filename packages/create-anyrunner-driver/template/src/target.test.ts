import { parseRunnerUrl } from "@anyrunner/core/driver";
import { expect, test } from "vitest";

import { parseEchoTarget } from "./target.ts";

test.each([
  ["echo://one", { name: "one", room: "main" }],
  ["echo://two-2?room=attic", { name: "two-2", room: "attic" }],
])("%s", (url, target) => {
  expect(parseEchoTarget(parseRunnerUrl(url))).toMatchObject(target);
});

test.each([
  ["echo://", "INVALID_URL"],
  ["echo://One", "INVALID_URL"],
  ["echo://user:secret@one", "INVALID_URL"],
  ["echo://one?rom=attic", "INVALID_OPTION"],
])("%s is refused with %s", (url, code) => {
  expect(() => parseEchoTarget(parseRunnerUrl(url))).toThrow(expect.objectContaining({ code }));
});
