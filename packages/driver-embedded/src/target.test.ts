import { parseRunnerUrl } from "@anyrunner/core/driver";
import { expect, test } from "vitest";

import { parseEmbeddedTarget } from "./target.ts";

const parse = (text: string) => parseEmbeddedTarget(parseRunnerUrl(text));

test.each([
  ["embedded://", {}],
  ["embedded://?host=unix:///run/podman.sock", { host: "unix:///run/podman.sock" }],
  ["embedded://?context=far&state=/var/cache/x", { context: "far", state: "/var/cache/x" }],
])("%s", (text, expected) => {
  expect(parse(text)).toMatchObject({ driver: "embedded", ...expected });
});

test.each([
  ["embedded://somewhere", "INVALID_URL"],
  ["embedded://?hst=x", "INVALID_OPTION"],
  ["embedded://?host=tcp://a:1&context=b", "INVALID_OPTION"],
  ["embedded://?state=", "INVALID_OPTION"],
])("%s is refused with %s", (text, code) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ code }) as Error);
});
