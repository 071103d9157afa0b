import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { cleanUp } from "./clean-up.ts";
import { createTestJob, putCommandOnPath, type TestJob } from "./test-job.ts";

let job: TestJob;
let folder: string;
let command: string;
beforeEach(async () => {
  job = await createTestJob();
  folder = join(job.root, "temp", "anyrunner-abc");
  await mkdir(folder);
  command = await putCommandOnPath(job);
});
afterEach(() => job.remove());

const { signal } = new AbortController();
const end = (state: Readonly<Record<string, string>>) => cleanUp({ workflow: job.workflow(state), signal });

test("ends the bridge, shows what it said since it served, and removes the folder", async () => {
  await writeFile(join(folder, "bridge.log"), 'bridge to a\n{"address":"unix:///run/b.sock","pid":1}\nremoving engine a\n');
  await end({ STATE_folder: folder, STATE_command: command, STATE_address: "unix:///run/b.sock" });
  expect(await job.calls()).toEqual([expect.objectContaining({ args: ["bridge", "--stop", "unix:///run/b.sock", "--json"] })]);
  expect(job.lines).toEqual(["::group::End the runner", "ended unix:///run/b.sock", "removing engine a", "::endgroup::"]);
  expect(existsSync(folder)).toBe(false);
});

test("after a first half that failed early only the folder goes", async () => {
  await end({ STATE_folder: folder });
  expect(await job.calls()).toEqual([]);
  expect(existsSync(folder)).toBe(false);
});

test("the folder goes, too, when the bridge can't be ended", async () => {
  await expect(end({ STATE_folder: folder, STATE_command: command, STATE_address: "unix:///x", FAIL: "bridge" })).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(existsSync(folder)).toBe(false);
});

test("a folder that the first half can't have made stays", async () => {
  await end({ STATE_folder: job.root.replace(/[^/]*$/, "..") });
  await end({ STATE_folder: join(job.root, "workspace") });
  expect(existsSync(join(job.root, "workspace"))).toBe(true);
});
