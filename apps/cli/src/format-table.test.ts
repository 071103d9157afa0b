import { expect, test } from "vitest";

import { formatTable } from "./format-table.ts";

const ROWS = [
  ["cpus", "How many CPUs the engine may use, such as 2 or 1.5."],
  ["memory", "How much."],
];

test("columns are aligned, and as long as they are where no width is given", () => {
  expect(formatTable(["NAME", "HELP"], ROWS)).toEqual(["NAME    HELP", `cpus    ${ROWS[0]?.[1]}`, "memory  How much."]);
});

test("in a terminal the last column goes on below itself", () => {
  expect(formatTable([], ROWS, 40)).toEqual([
    "cpus    How many CPUs the engine may", //
    "        use, such as 2 or 1.5.",
    "memory  How much.",
  ]);
});

test("one that is too narrow for that is left to the terminal", () => {
  expect(formatTable([], ROWS, 20)).toHaveLength(2);
});
