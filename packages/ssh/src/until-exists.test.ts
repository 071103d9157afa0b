import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, test } from "vitest";

import { untilExists } from "./until-exists.ts";

const options = { signal: undefined, budgetMs: 60_000, host: { host: "h" } };

test("resolves when the path comes", async () => {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  const waiting = untilExists(join(folder, "c"), folder, options);
  await writeFile(join(folder, "c"), "");
  await waiting;
  await rm(folder, { recursive: true });
});

test("a folder that ssh has taken with it already is no error of its own", async () => {
  const outcome = await Promise.race([untilExists("/no/such/folder/c", "/no/such/folder", options), Promise.resolve("waits")]);
  expect(outcome).toBe("waits");
});
