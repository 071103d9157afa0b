import { globSync, readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { REPOSITORY } from "./workspace-packages.ts";

const page = readFileSync(path.join(REPOSITORY, "docs/architecture.md"), "utf8");

test("the page about the architecture names every package and every app", () => {
  const folders = globSync("{packages,apps}/*/package.json", { cwd: REPOSITORY }).map((file) => path.dirname(file).replace(/^packages\//, ""));
  expect(folders.length).toBeGreaterThan(15);
  expect(folders.filter((folder) => !page.includes(`**${folder}**`))).toEqual([]);
});

test("each file and folder that it names is there", () => {
  const named = [...page.matchAll(/[a-z*-]+\/src\/[\w./-]*\w/g)].map(([text]) => text);
  expect(named.length).toBeGreaterThan(20);
  expect(named.filter((file) => globSync(`packages/${file}`, { cwd: REPOSITORY }).length === 0)).toEqual([]);
});
