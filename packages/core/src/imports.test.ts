import { readdir, readFile } from "node:fs/promises";

import { expect, test } from "vitest";

const IMPORT = /\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g;

test("the sources of core import node: modules and each other, nothing else", async () => {
  const files = (await readdir(import.meta.dirname)).filter((name) => name.endsWith(".ts") && !/\.test(-d)?\.ts$/.test(name));
  const imported = await Promise.all(
    files.map(async (name) => [...(await readFile(`${import.meta.dirname}/${name}`, "utf8")).matchAll(IMPORT)].map((match) => `${name}: ${match[1] ?? ""}`)),
  );
  expect(imported.flat().length).toBeGreaterThan(10);
  expect(imported.flat().filter((line) => !/: (node:|\.\/)/.test(line))).toEqual([]);
});
