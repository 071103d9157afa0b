import { execFileSync } from "node:child_process";

import { expect, test } from "vitest";

import { packTar } from "./tar.ts";

test("tar itself reads names, modes and sizes; the same files give the same bytes", () => {
  const files = [
    { name: "Dockerfile", contents: Buffer.from("FROM scratch\n") },
    { name: "folder/program", mode: 0o755, contents: Buffer.alloc(1024, "x") },
    { name: "empty", mode: 0o600, contents: Buffer.alloc(0) },
  ];
  const archive = packTar(files);
  const listed = execFileSync("tar", ["--numeric-owner", "-tvf", "-"], { input: archive, encoding: "utf8", env: { ...process.env, TZ: "UTC" } });
  expect(
    listed
      .trim()
      .split("\n")
      .map((line) => line.replaceAll(/ +/g, " ")),
  ).toEqual([
    "-rw-r--r-- 0/0 13 1970-01-01 00:00 Dockerfile",
    "-rwxr-xr-x 0/0 1024 1970-01-01 00:00 folder/program",
    "-rw------- 0/0 0 1970-01-01 00:00 empty",
  ]);
  expect(execFileSync("tar", ["-xOf", "-", "folder/program"], { input: archive, encoding: "utf8" })).toBe("x".repeat(1024));
  expect(packTar(files).equals(archive)).toBe(true);
});

test("a name that doesn't fit is refused, not cut", () => {
  expect(() => packTar([{ name: "ü".repeat(51), contents: Buffer.alloc(0) }])).toThrow("too long");
});
