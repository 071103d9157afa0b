import { mkdirSync, openSync, readdirSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bytesOfName } from "./file-name.ts";
import { diskErrorText, systemErrorText } from "./system-error-text.ts";
import { makeTestDirectory } from "./test-tree.ts";

function failureOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  throw new Error("it must fail");
}

test("a failed file operation is told as Go tells it", () => {
  const root = makeTestDirectory({ file: "", dir: null });
  expect(diskErrorText(failureOf(() => mkdirSync(join(root, "file"))))).toBe(`mkdir ${root}/file: file exists`);
  expect(diskErrorText(failureOf(() => openSync(join(root, "dir"), "w")))).toBe(`open ${root}/dir: is a directory`);
  expect(diskErrorText(failureOf(() => readdirSync(join(root, "none"))))).toBe(`open ${root}/none: no such file or directory`);
  expect(diskErrorText(failureOf(() => mkdirSync(bytesOfName(`${root}/file/\udcff`))))).toBe(`mkdir ${root}/file/\ufffd: not a directory`);
});

test("anything else keeps its message; of a host with several addresses the first failure counts", () => {
  expect(diskErrorText(new Error("no file"))).toBe("no file");
  const refused = Object.assign(new Error("connect ECONNREFUSED ::1:1"), { errno: -constants.errno.ECONNREFUSED });
  expect(systemErrorText(new AggregateError([refused, new Error("another")]))).toBe("connection refused");
});
