import { describe, expect, test } from "vitest";

import { canDraw, pipelineProgress, progressMode, sessionProgress } from "./progress-mode.ts";

test.each([
  [undefined, {}, false, "auto"],
  ["plain", { DAGGER_PROGRESS: "json" }, false, "plain"],
  [undefined, { DAGGER_PROGRESS: "json" }, false, "json"],
  [undefined, { DAGGER_PROGRESS: "dots" }, false, "plain"],
  [undefined, { DAGGER_PROGRESS: "" }, false, "auto"],
  ["tty", {}, false, "tty"],
  ["quiet", {}, false, "quiet"],
  ["none", {}, false, "quiet"],
  ["tty", {}, true, "quiet"],
] as const)("--progress %s with %j, silent %s: %s", (flag, env, silent, mode) => {
  expect(progressMode({ flag, env, silent })).toBe(mode);
});

test.each(["toString", "x"])("%s is refused", (flag) => {
  expect(() => progressMode({ flag, env: {}, silent: false })).toThrowError(expect.objectContaining({ code: "USAGE" }));
});

const terminal = { isTTY: true, rows: 24, columns: 80 };

describe("auto", () => {
  test.each([
    ["a terminal", { TERM: "xterm" }, terminal, "tty"],
    ["a terminal without colours", { NO_COLOR: "1" }, terminal, "tty"],
    ["a terminal that can't move its cursor", { TERM: "dumb" }, terminal, "plain"],
    ["a terminal without a size", {}, { isTTY: true, rows: 0, columns: 0 }, "plain"],
    ["a CI system", { CI: "true" }, terminal, "plain"],
    ["no CI system", { CI: "false" }, terminal, "tty"],
    ["a pipe", {}, {}, "plain"],
  ] as const)("is for a pipeline on %s: %j", (_, env, stream, mode) => {
    expect(pipelineProgress("auto", { env, stream })).toBe(mode);
  });

  test("is plain for a session, and what was asked for stays", () => {
    expect([sessionProgress("auto"), sessionProgress("tty"), pipelineProgress("json", { env: {}, stream: terminal })]).toEqual(["plain", "tty", "json"]);
  });
});

test("a tree can be drawn in a CI system that has a terminal, where it is asked for", () => {
  expect(canDraw({ env: { CI: "true" }, stream: terminal })).toBe(true);
});
