import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { holderProgram } from "../executor/holder/program.ts";
import { readElfNeeds } from "./elf.ts";
import { findProgramFiles } from "./program-files.ts";

describe("readElfNeeds", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "anyrunner-elf-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(["amd64", "arm64"])("a static program for %s needs nothing", async (architecture) => {
    const path = join(folder, architecture);
    await writeFile(path, holderProgram(architecture) as Buffer);
    expect(await readElfNeeds(path)).toEqual({ architecture, interpreter: undefined, needed: [], folders: [] });
    expect(await findProgramFiles(path)).toEqual({ architecture, libraries: new Map(), searchFolders: [] });
  });

  test.runIf(process.platform === "linux")("this Node.js needs a loader and the C library", async () => {
    const needs = await readElfNeeds(process.execPath);
    expect(needs?.interpreter).toMatch(/^\/lib.*\/ld-/);
    expect(needs?.needed).toContain("libc.so.6");
    const { libraries } = await findProgramFiles(process.execPath);
    expect([...libraries.keys()].map((path) => path.split("/").at(-1))).toEqual(expect.arrayContaining(["libc.so.6", "libstdc++.so.6"]));
  });

  test("anything else is no program", async () => {
    const path = join(folder, "script");
    await writeFile(path, "#!/bin/sh\n");
    expect(await readElfNeeds(path)).toBeUndefined();
    await expect(findProgramFiles(path)).rejects.toMatchObject({ code: "UNSUPPORTED" });
  });
});
