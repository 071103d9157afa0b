import { expect, test } from "vitest";

import { formatConformanceTable, mergeRows, type ConformanceRow } from "./conformance-table.ts";

const row = (change: Partial<ConformanceRow>): ConformanceRow => ({
  name: "docker, real daemon",
  driver: "docker",
  package: "@anyrunner/driver-docker",
  schemes: ["docker-container"],
  against: "Docker 20.10.24",
  versions: "Node 24.21.0",
  date: "2026-11-25",
  passed: 40,
  failed: 0,
  skipped: 2,
  skips: [],
  ...change,
});

test("a run that could not take place leaves the record of one that did", () => {
  const ran = row({});
  const skipped = row({ passed: 0, skipped: 42, skips: ["no daemon"] });
  expect(mergeRows([ran], [skipped])).toEqual([ran]);
  expect(mergeRows([skipped], [ran])).toEqual([ran]);
  expect(mergeRows([], [skipped])).toEqual([skipped]);
  expect(mergeRows([ran], [row({ passed: 39, failed: 1 })])).toMatchObject([{ failed: 1 }]);
});

test("of one thing the releases have rows of their own", () => {
  const old = row({ against: "Docker 20.10.24" });
  const newer = row({ against: "Docker 28.2.2" });
  expect(mergeRows([newer], [old])).toEqual([old, newer]);
  const again = row({ against: "Docker 20.10.25+x", passed: 41 });
  expect(mergeRows([old, newer], [again])).toEqual([again, newer]);
  expect(mergeRows([old], [row({ against: "real", passed: 0 })])).toEqual([old]);
});

test("the page says what ran where, what failed, and what has not run", () => {
  const page = formatConformanceTable(
    [row({ failed: 1 }), row({ name: "x", schemes: ["x"], against: "double", passed: 0, skips: ["no y"] })],
    ["docker-container", "x"],
  );
  expect(page).toMatch(/\| docker, real daemon \| `docker-container:\/\/` \| +\| Docker 20\.10\.24: 40 passed, \*\*1 failed\*\*, 2 skipped \|/);
  expect(page).toMatch(/\| x +\| `x:\/\/` +\| not run +\| +\| no y +\|/);
  expect(page).toContain("No suite of its own has run with `x://`");
});
