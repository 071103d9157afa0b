import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";

import { createWorkflow, type Workflow } from "./workflow-commands.ts";

/** A call of the command, as it saw it. */
export interface Call {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** A machine that runs a step: its files, an npm that installs a command which only notes how it is called, and what the step printed. */
export interface TestJob {
  readonly root: string;
  readonly lines: readonly string[];
  workflow(env?: Readonly<Record<string, string>>): Workflow;
  /** `GITHUB_ENV` and its like, as `name=value` lines. */
  written(name: "ENV" | "OUTPUT" | "STATE" | "PATH" | "STEP_SUMMARY"): Promise<string>;
  calls(): Promise<readonly Call[]>;
  remove(): Promise<void>;
}

/** `FAIL` in its environment is the first word of the call that fails, `FAIL_CODE` and `FAIL_HINT` say how. */
const COMMAND = `
import { appendFileSync } from "node:fs";
const args = process.argv.slice(2);
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => /RUNNER|SESSION|HOME|INPUT/.test(name)));
appendFileSync(process.env.CALLS, JSON.stringify({ args, env }) + "\\n");
if (process.env.FAIL === args[0]) {
  console.error("on the way");
  console.error(JSON.stringify({ error: { code: process.env.FAIL_CODE ?? "NOT_FOUND", message: "there is no engine", hint: process.env.FAIL_HINT ?? "start one" } }));
  process.exit(1);
}
if (args[0] === "doctor") console.log("failed  dial  nobody answers\\n::add-path::/evil");
else if (args.includes("--stop")) console.log(JSON.stringify({ stopped: true }));
else if (args[0] === "bridge")
  console.log(JSON.stringify({ address: "unix:///run/b.sock", runner: "kube-pod://a?token=***", engine: { version: "v0.21.8" }, pid: 1 }));
`;

/** As npm is called here: the prefix behind --prefix, the package last. */
const NPM = `#!/bin/sh
[ -z "$FAIL_NPM" ] || { echo "npm error 404 Not Found" >&2; exit 1; }
while [ "$1" != --prefix ]; do shift; done
target="$2/node_modules/@anyrunner/cli"
mkdir -p "$target" && cp "$COMMAND_FILE" "$target/bin.mjs"
echo '{"bin":{"anyrunner":"./bin.mjs"}}' >"$target/package.json"
`;

export async function createTestJob(): Promise<TestJob> {
  const root = await mkdtemp(join(tmpdir(), "anyrunner-action-"));
  const bin = join(root, "path");
  await Promise.all([mkdir(bin), mkdir(join(root, "temp")), mkdir(join(root, "workspace"))]);
  await Promise.all([writeFile(join(root, "command.mjs"), COMMAND), writeProgram(join(bin, "npm"), NPM)]);
  const lines: string[] = [];
  const names = ["ENV", "OUTPUT", "STATE", "PATH", "STEP_SUMMARY"] as const;
  const files = Object.fromEntries(names.map((name) => [`GITHUB_${name}`, join(root, name)]));
  const env = {
    ...files,
    PATH: [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter),
    GITHUB_WORKSPACE: join(root, "workspace"),
    RUNNER_TEMP: join(root, "temp"),
    CALLS: join(root, "calls"),
    COMMAND_FILE: join(root, "command.mjs"),
  };
  return {
    root,
    lines,
    workflow: (more = {}) => createWorkflow({ env: { ...env, ...more }, write: (line) => lines.push(line) }),
    async written(name) {
      const text = await readFile(join(root, name), "utf8").catch(() => "");
      return text.replaceAll(/^(\w[\w-]*)<<(anyrunner-\S+)\n([^]*?)\n\2\n/gm, "$1=$3\n");
    },
    async calls() {
      const text = await readFile(join(root, "calls"), "utf8").catch(() => "");
      return text
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as Call);
    },
    remove: () => rm(root, { recursive: true, force: true }),
  };
}

/** An `anyrunner` that is on the PATH of the job already. */
export async function putCommandOnPath({ root }: TestJob): Promise<string> {
  const file = join(root, "path", "anyrunner");
  await writeProgram(file, `#!/bin/sh\nexec "${process.execPath}" "${join(root, "command.mjs")}" "$@"\n`);
  return file;
}

async function writeProgram(file: string, text: string): Promise<void> {
  await writeFile(file, text);
  await chmod(file, 0o755);
}
