import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { rememberEngineStart } from "./engine-starts.ts";
import { openEngineUses } from "./engine-uses.ts";

let home: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "anyrunner-test-starts-"));
});
afterEach(() => rm(home, { recursive: true }));

test("a start is news once", async () => {
  const env = { HOME: home };
  const engine = { driver: "docker", id: "one" };
  const see = (startedAt: string) => rememberEngineStart({ ...engine, startedAt }, { env });
  expect([await see("a"), await see("a"), await see("b"), await see("b")]).toEqual(["first", "same", "changed", "same"]);
  await openEngineUses({ env }).forget(engine);
  expect(await see("b")).toBe("first");
});

test("a folder that can't be written makes every start the first", async () => {
  expect(await rememberEngineStart({ driver: "docker", id: "one", startedAt: "a" }, { env: { HOME: "/dev/null" } })).toBe("first");
});
