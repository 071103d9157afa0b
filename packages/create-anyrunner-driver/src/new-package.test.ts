import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createDriver } from "./create-driver.ts";

interface Report {
  readonly cases: readonly { readonly group: string; readonly name: string; readonly state: string; readonly reason?: string }[];
}

const tools = join(import.meta.dirname, "../template/node_modules");
let cwd: string;
let directory: string;
beforeAll(() => {
  cwd = realpathSync(mkdtempSync(join(tmpdir(), "new-package-")));
  directory = createDriver({ name: "my-cloud", cwd }).directory;
  symlinkSync(tools, join(directory, "node_modules"));
});
afterAll(() => {
  rmSync(cwd, { recursive: true, force: true });
});

function tool(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const { status, stdout, stderr } = spawnSync(join(tools, ".bin", name), args, {
    cwd: directory,
    env: { ...process.env, VITEST: undefined, ...env },
    encoding: "utf8",
  });
  return { status, output: stdout + stderr };
}

test("a new package has right types and lints clean, before a line of it is written", () => {
  expect(tool("tsc", ["-p", "tsconfig.json"])).toEqual({ status: 0, output: "" });
  const lint = tool("oxlint", ["--deny-warnings"]);
  expect(lint.status, lint.output).toBe(0);
});

test("its conformance run is red for exactly what is left to write, and each failure says where that goes", () => {
  const folder = join(cwd, "report");
  const { status, output } = tool("vitest", ["run"], { ANYRUNNER_CONFORMANCE_REPORT: folder });
  expect(status).toBe(1);
  // Each once, with what to do: not once for each of the cases that meet it.
  expect(output.match(/left to write: .*\n.*/g)?.filter((text) => text.includes("\nwrite "))).toEqual([
    expect.stringContaining("left to write: whether a runner is there\nwrite probeRunner in src/find-runner.ts"),
    expect.stringContaining("left to write: what the runner is\nwrite findRunner in src/find-runner.ts"),
  ]);
  const { cases } = JSON.parse(readFileSync(join(folder, "my-cloud.json"), "utf8")) as Report;
  const red = cases.filter(({ state }) => state === "failed");
  expect(red.filter(({ reason = "" }) => !reason.includes("left to write"))).toEqual([]);
  const green = cases.filter(({ state }) => state === "passed").map(({ group, name }) => `${group}: ${name}`);
  expect(green).toEqual([
    "contract: the driver is version 1 and its members agree with its capabilities",
    "contract: it claims the schemes of its target and of its bad URLs",
    "contract: every option has a help text, and a default of its own type",
    "contract: importing the package exports the driver, prints nothing, keeps nothing open and loads no SDK",
    "urls: at least one bad URL is given",
    "urls: my-cloud:// is refused with INVALID_URL",
    "urls: my-cloud://Not-A-Name is refused with INVALID_URL",
    "urls: my-cloud://one?rom=attic is refused with INVALID_OPTION",
    "urls: an unknown parameter is refused with INVALID_OPTION and a hint",
    "urls: parsing twice gives the same plain data",
    "secrets: a password and secret parameters of a URL show in no error, report, target or handle",
  ]);
});
