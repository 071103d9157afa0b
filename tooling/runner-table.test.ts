import { readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { BUILT_IN_DRIVERS, ON_DEMAND_DRIVERS } from "../packages/drivers/src/built-in-drivers.ts";
import { REPOSITORY } from "./workspace-packages.ts";

const schemesOfDrivers = [...new Set([...BUILT_IN_DRIVERS, ...ON_DEMAND_DRIVERS].flatMap(({ schemes }) => schemes))];

test("the README says of each scheme that has a driver, and of no other, that it works", () => {
  const rows = readFileSync(path.join(REPOSITORY, "README.md"), "utf8")
    .split("\n")
    .filter((line) => line.startsWith("| `"));
  const working = rows.filter((row) => /\| works/.test(row)).flatMap(schemesIn);
  const next = rows.filter((row) => /\| next/.test(row)).flatMap(schemesIn);
  expect(working.toSorted()).toEqual(schemesOfDrivers.toSorted());
  expect(next.filter((scheme) => schemesOfDrivers.includes(scheme))).toEqual([]);
});

test("the page about runners has each scheme", () => {
  const page = readFileSync(path.join(REPOSITORY, "docs/guide/runners.md"), "utf8");
  expect(schemesOfDrivers.filter((scheme) => !page.includes(`\`${scheme}\``))).toEqual([]);
});

function schemesIn(row: string): readonly string[] {
  const [, urls = ""] = row.split("|");
  return [...urls.matchAll(/([a-z][a-z0-9.+-]*):\/\//g)].map((match) => match[1] ?? "");
}
