import { stripVTControlCharacters } from "node:util";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { displayWidth } from "./display-width.ts";
import { testLog, testSpan, viewOf } from "./test-steps.ts";
import { treeLines } from "./tree-lines.ts";
import { treeStyle } from "./tree-style.ts";

const plain = treeStyle({ NO_COLOR: "1", LANG: "C.UTF-8" }, "linux");
const coloured = treeStyle({ LANG: "C" }, "linux");

const build = viewOf([
  testSpan("query"),
  testSpan("from", { parentSpanId: "query", to: 1.5, is: ["cached"] }),
  testSpan("layer", { parentSpanId: "from", to: 1 }),
  testSpan("compile", { parentSpanId: "query", from: 2 }),
  testSpan("lint", { parentSpanId: "query", from: 2, to: 3, failed: true, statusMessage: "exit code 1" }),
  testLog("compile", "a\nb\nc\n"),
  testLog("lint", "d\ne\n"),
  testSpan("clean", { to: 65 }),
]);
const show = (options: { readonly width?: number; readonly height?: number; readonly whole?: boolean }) =>
  treeLines(build, { width: 30, height: 100, frame: 2, style: plain, ...options });

describe("a tree of steps", () => {
  test("has what runs with the end of its output, what failed with the reason, and what is done", () => {
    expect(show({})).toEqual([
      "⠹ query 10.0s",
      "  ✓ from CACHED 1.5s",
      "  ⠹ compile 8.0s",
      "    │ a",
      "    │ b",
      "    │ c",
      "  ✗ lint ERROR 1.0s",
      "    │ d",
      "    │ e",
      "    ! exit code 1",
      "✓ clean 1m05s",
    ]);
  });

  test("shows at the end what is below finished steps, too", () => {
    expect(show({ whole: true }).slice(0, 3)).toEqual(["- query UNFINISHED 10.0s", "  ✓ from CACHED 1.5s", "    ✓ layer 1.0s"]);
  });

  test.each([
    [8, ["… 1 done", "⠹ query 10.0s", "  … 1 done", "  ⠹ compile 8.0s", "    │ c", "  ✗ lint ERROR 1.0s", "    │ e", "    ! exit code 1"]],
    [6, ["… 1 done", "⠹ query 10.0s", "  … 1 done", "  ⠹ compile 8.0s", "  ✗ lint ERROR 1.0s", "    ! exit code 1"]],
    [4, ["⠹ query 10.0s", "  ⠹ compile 8.0s", "  ✗ lint ERROR 1.0s", "    ! exit code 1"]],
    [3, ["⠹ query 10.0s", "  ✗ lint ERROR 1.0s", "… 2 more"]],
    [1, ["… 4 more"]],
    [0, []],
  ])("in %d lines has what runs and what failed first", (height, lines) => {
    expect(show({ height })).toEqual(lines);
  });

  test("keeps times where titles are cut", () => {
    expect(show({ width: 18, height: 3 })).toEqual(["⠹ query 10.0s", "  ✗ li… ERROR 1.0s", "… 2 more"]);
  });

  test("is in colour, and in ASCII where the locale knows nothing else", () => {
    const [line = ""] = treeLines(build, { width: 30, height: 100, frame: 0, style: coloured });
    expect(line).toBe("\u001b[33m|\u001b[0m query\u001b[2m 10.0s\u001b[0m");
  });
});

const title = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 80 }),
  fc.string({ unit: "binary-ascii", maxLength: 80 }),
  fc.constantFrom("\u001b[31mred", "日本語".repeat(30), "a\nb\r\u0007"),
);
const span = fc
  .record({
    id: fc.integer({ min: 0, max: 40 }),
    parent: fc.option(fc.integer({ min: 0, max: 40 })),
    name: title,
    statusMessage: title,
    failed: fc.boolean(),
    to: fc.option(fc.integer({ min: 0, max: 100_000 }), { nil: undefined }),
    is: fc.subarray(["cached", "canceled", "internal", "passthrough", "encapsulated", "encapsulate"] as const, { maxLength: 1 }),
    continues: fc.array(fc.integer({ min: 0, max: 40 }).map(String), { maxLength: 2 }),
  })
  .map(({ id, parent, to, ...more }) =>
    testSpan(String(id), { ...more, ...(to === undefined ? {} : { to }), parentSpanId: parent === null ? undefined : String(parent) }),
  );
const log = fc.tuple(fc.integer({ min: 0, max: 40 }), title).map(([id, text]) => testLog(String(id), text));

test("a tree never has too many lines, none too wide, and nothing in it steers the terminal (property)", () => {
  const size = {
    width: fc.integer({ min: 0, max: 100 }),
    height: fc.integer({ min: 0, max: 30 }),
    frame: fc.nat(),
    whole: fc.boolean(),
    style: fc.constantFrom(plain, coloured),
  };
  fc.assert(
    fc.property(fc.array(fc.oneof(span, log), { maxLength: 60 }), fc.constantFrom(5, 1000), fc.record(size), (records, limit, options) => {
      const lines = treeLines(viewOf(records, limit), options);
      expect(lines.length).toBeLessThanOrEqual(options.height);
      for (const line of lines) {
        // oxlint-disable-next-line no-control-regex
        const bare = line.replaceAll(/\u001b\[\d+m/g, "");
        expect(bare).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
        expect(bare).toBe(stripVTControlCharacters(line));
        expect(displayWidth(bare)).toBeLessThanOrEqual(options.width);
        // oxlint-disable-next-line no-control-regex
        if (line !== bare) expect(line).toMatch(/\u001b\[0m[^\u001b]*$/);
      }
    }),
    { numRuns: 300 },
  );
});
