import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, expect, test } from "vitest";

import { bytesContent } from "../tree/node.ts";
import { openIndex } from "./index-store.ts";

const HOUR_MS = 60 * 60 * 1000;
let folder: string;
let file: string;
let nowMs = 0;
const now = () => nowMs;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-index-"));
  file = join(folder, "deep/index.jsonl");
  nowMs = 1_000_000;
});

afterEach(() => rm(folder, { recursive: true }));

const text = (value: string) => bytesContent(Buffer.from(value));
const snapshot = (image: string) => ({ image, layers: 1 });

test("what was written is there after a restart, small contents included", async () => {
  const first = await openIndex(file);
  await first.setExec("k", { exitCode: 3, stdout: text("out"), stderr: text(""), combined: { digest: "sha256:ff", size: 9000 } });
  await first.setSnapshot("k", snapshot("sha256:1"));
  const second = await openIndex(file);
  expect(second.exec("k")).toMatchObject({ exitCode: 3, combined: { digest: "sha256:ff", size: 9000 } });
  expect(Buffer.from(second.exec("k")?.stdout.bytes ?? []).toString()).toBe("out");
  expect(second.snapshot("k")).toEqual(snapshot("sha256:1"));
});

test("half a line, as a killed process leaves it, costs that line alone", async () => {
  const first = await openIndex(file);
  await first.setSnapshot("a", snapshot("sha256:1"));
  await appendFile(file, '{"key":"b","snapsh');
  expect((await openIndex(file)).snapshot("a")).toEqual(snapshot("sha256:1"));
});

test("a snapshot that was taken back stays away", async () => {
  const first = await openIndex(file);
  await first.setSnapshot("a", snapshot("sha256:1"));
  await first.setSnapshot("a", undefined);
  expect((await openIndex(file)).snapshot("a")).toBeUndefined();
});

test("stale are the least used beyond the count, and those that are too old", async () => {
  const index = await openIndex(file, { now });
  for (const key of ["a", "b", "c"]) {
    await index.setSnapshot(key, snapshot(key));
    nowMs += HOUR_MS;
  }
  nowMs += HOUR_MS;
  await index.touch("a");
  expect(index.stale({ count: 2, ageMs: 100 * HOUR_MS })).toEqual(["b"]);
  expect(index.stale({ count: 3, ageMs: 2.5 * HOUR_MS })).toEqual(["b"]);
  const again = await openIndex(file, { now });
  expect(again.stale({ count: 2, ageMs: 100 * HOUR_MS })).toEqual(["b"]);
});

test("a journal that is mostly out of date is written anew", async () => {
  const first = await openIndex(file);
  for (let i = 0; i < 1200; i++) await first.setSnapshot("a", snapshot(`sha256:${i}`));
  const second = await openIndex(file);
  expect((await readFile(file, "utf8")).split("\n")).toHaveLength(2);
  expect(second.snapshot("a")).toEqual(snapshot("sha256:1199"));
});
