import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

import { RunnerError } from "@anyrunner/core";
import { runProgram } from "@anyrunner/exec";
import { afterAll, beforeAll, expect, test } from "vitest";

import { importDriver } from "./import-driver.ts";

let project: string;
beforeAll(async () => {
  project = await mkdtemp(join(tmpdir(), "anyrunner-import-"));
  await writeFile(join(project, "package.json"), "{}");
  await writeFile(join(project, "yarn.lock"), "");
});
afterAll(() => rm(project, { recursive: true, force: true }));

/** What `import(specifier)` of a real Node fails with; the one of a test runner words it differently. */
async function importError(specifier: string): Promise<Error> {
  const script = `import(${JSON.stringify(specifier)}).catch(({ code, message }) => console.log(JSON.stringify({ code, message })))`;
  const { stdout } = await runProgram({ command: process.execPath, args: ["--eval", script], cwd: project });
  const { code, message } = JSON.parse(stdout.toString()) as { code: string; message: string };
  return Object.assign(new Error(message), { code });
}

const importing = (packageName: string, error: Error) => importDriver({ package: packageName, load: () => Promise.reject(error), cwd: project, env: {} });

test("a package that is absent: the exact command of the project's package manager", async () => {
  const error = await importError("@anyrunner/driver-absent");
  await expect(importing("@anyrunner/driver-absent", error)).rejects.toMatchObject({
    code: "DRIVER_NOT_INSTALLED",
    message: "the driver package @anyrunner/driver-absent is not installed",
    hint: "run: yarn add --dev @anyrunner/driver-absent",
    details: { install: "yarn add --dev @anyrunner/driver-absent" },
  });
});

test("another package that is absent means a broken driver", async () => {
  const error = await importError("its-dependency");
  await expect(importing("@anyrunner/driver-foo", error)).rejects.toMatchObject({
    code: "DRIVER_INVALID",
    message: expect.stringContaining("its-dependency"),
    cause: error,
  });
});

test("so does anything that it throws while it loads, but our own errors pass", async () => {
  await expect(importing("x", new SyntaxError("odd\ntext"))).rejects.toMatchObject({ code: "DRIVER_INVALID", message: "x fails while it loads: odd" });
  await expect(importing("x", new RunnerError("PERMISSION_DENIED", "no"))).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
});

test.each([
  ["TypeScript below node_modules", "node_modules/x/index.ts", "export const a: number = 1;", /publish JavaScript.*exports.*built files/],
  ["TypeScript that is more than types", "enum.ts", "enum A { B }", /erasableSyntaxOnly/],
  ["code that throws", "throws.mjs", "throw new Error('odd');", /ANYRUNNER_DEBUG=1 shows where/],
  ["an import that is missing", "gone.mjs", "import './gone.ts';", /needs the ending \.ts/],
])("%s: what the author can do", async (_, file, code, hint) => {
  await mkdir(dirname(join(project, file)), { recursive: true });
  await writeFile(join(project, file), code);
  const error = await importError(pathToFileURL(join(project, file)).href);
  await expect(importing(file, error)).rejects.toMatchObject({ code: "DRIVER_INVALID", hint: expect.stringMatching(hint), cause: error });
});
