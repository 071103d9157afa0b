import { readFileSync } from "node:fs";

import { expect, test } from "vitest";

import { ECHO_OPTIONS } from "./target.ts";

test("README.md has a row for every parameter of the URL, and for no other", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| `\?([^`]+)`/gm)].map(([, name = ""]) => name);
  expect(rows.toSorted()).toEqual(ECHO_OPTIONS.map(({ name }) => name).toSorted());
});
