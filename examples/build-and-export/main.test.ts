import { execFile } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import path from "node:path";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const here = import.meta.dirname;
const repository = path.resolve(here, "../..");
const site = path.join(here, "site");

beforeAll(async () => {
  await run(path.join(repository, "scripts/busybox-root"), [path.join(here, "rootfs")]);
  await rm(site, { recursive: true, force: true });
});
afterAll(() => rm(site, { recursive: true, force: true }));

test.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")(
  "sends files in, without the excluded ones, and writes the built ones (left out by ANYRUNNER_TEST_DOCKER=skip)",
  async () => {
    const anyrunner = path.join(repository, "apps/cli/src/bin.ts");
    const { stdout } = await run(process.execPath, [anyrunner, "run", "--runner", "embedded://", "--", process.execPath, "main.ts"], { cwd: here });
    const index = await readFile(path.join(site, "index.html"), "utf8");
    expect(stdout).toBe(`index.html: ${index.length} bytes\n`);
    expect(index).toContain("<h1>Built in a container</h1>");
    expect((await readdir(site)).toSorted()).toEqual(["files.html", "index.html", "runners.html"]);
    expect(await readFile(path.join(site, "files.html"), "utf8")).toContain("A directory goes in");
  },
);
