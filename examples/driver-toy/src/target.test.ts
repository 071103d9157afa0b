import path from "node:path";

import { parseRunnerUrl } from "@anyrunner/core/driver";
import { expect, test } from "vitest";

import { parseToyTarget } from "./target.ts";

test.each([
  ["toy://one", { name: "one", file: path.resolve("runners.json") }],
  ["toy://two-2?file=/etc/runners.json", { name: "two-2", file: "/etc/runners.json" }],
])("%s", (url, target) => {
  expect(parseToyTarget(parseRunnerUrl(url))).toMatchObject(target);
});

test.each([
  ["toy://", "INVALID_URL"],
  ["toy://One", "INVALID_URL"],
  ["toy://user:secret@one", "INVALID_URL"],
  ["toy://one?fiel=runners.json", "INVALID_OPTION"],
])("%s is refused with %s", (url, code) => {
  expect(() => parseToyTarget(parseRunnerUrl(url))).toThrow(expect.objectContaining({ code }));
});
