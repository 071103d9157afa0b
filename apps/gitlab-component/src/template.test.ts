import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { runProgram } from "@anyrunner/exec";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse } from "yaml";

interface Input {
  readonly default: unknown;
  readonly description: string;
}

interface Job {
  readonly variables: Readonly<Record<string, string>>;
  readonly before_script: readonly string[];
  readonly after_script: readonly string[];
}

type Values = Readonly<Record<string, string>>;

const TEMPLATE = readFileSync(join(import.meta.dirname, "../templates/anyrunner.yml"), "utf8");
const [header, body = ""] = TEMPLATE.split(/^---$/m);
const { spec } = parse(header ?? "") as { readonly spec: { readonly inputs: Readonly<Record<string, Input>> } };
const { inputs } = spec;

/** Notes how it is called, and answers as the command does; `FAIL` in its environment is the first word of the call that fails. */
const COMMAND = `#!/bin/sh
echo "$* | \${ANYRUNNER_RUNNER-} | \${_EXPERIMENTAL_DAGGER_RUNNER_HOST-} | \${ANYRUNNER_HOME##*/}" >>"$CALLS"
[ "$1" != "$FAIL" ] || { echo "error: no engine" >&2; exit 1; }
case "$*" in "bridge --detach"*) echo "export _EXPERIMENTAL_DAGGER_RUNNER_HOST='unix:///run/b.sock'" ;; esac
`;
const NPM = `#!/bin/sh
echo "npm $*" >>"$CALLS"
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/.bin" && cp "$COMMAND_FILE" "$2/node_modules/.bin/anyrunner"
`;

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "anyrunner-component-"));
  for (const folder of ["bin", "tmp"]) mkdirSync(join(root, folder));
  writeProgram("command", COMMAND);
  writeProgram("bin/npm", NPM);
});
afterEach(() => rmSync(root, { recursive: true, maxRetries: 10 }));

function writeProgram(name: string, text: string): void {
  writeFileSync(join(root, name), text);
  chmodSync(join(root, name), 0o755);
}

/** The job as GitLab makes it of the template. */
function jobOf(given: Values): Readonly<Record<string, Job>> {
  const value = (name: string) => given[name] ?? String(inputs[name]?.default);
  return parse(body.replaceAll(/\$\[\[ inputs\.([\w-]+) \]\]/g, (_, name: string) => value(name))) as Readonly<Record<string, Job>>;
}

/** Runs a job as GitLab's runner does: what comes before and the script in one shell, what comes after in another. */
async function runJob(given: Values = {}, { script = "true", env = {} }: { readonly script?: string; readonly env?: Values } = {}) {
  const job = jobOf(given)[".anyrunner"];
  if (job === undefined) throw new Error("there is no job .anyrunner");
  const shell = (lines: readonly string[], options: string) =>
    runProgram({
      command: "sh",
      args: [options, lines.join("\n")],
      cwd: root,
      env: {
        PATH: `${join(root, "bin")}:/usr/bin:/bin`,
        TMPDIR: join(root, "tmp"),
        CI_JOB_ID: "42",
        CALLS: join(root, "calls"),
        COMMAND_FILE: join(root, "command"),
        ...job.variables,
        ...env,
      },
      timeoutMs: 60_000,
    });
  const { exitCode, stdout, stderr } = await shell([...job.before_script, script], "-ec");
  const after = await shell(job.after_script, "-c");
  return { exitCode, stdout: stdout.toString(), stderr, after: `${after.stdout.toString()}${after.stderr}`, calls: calls() };
}

function calls(): readonly string[] {
  return readFileSync(join(root, "calls"), "utf8").trim().replaceAll(root, "").split("\n");
}

const FOLDER = "/tmp/anyrunner-job-42";

describe("a job", () => {
  test("has command, drivers and runner, and ends what it started", async () => {
    const job = { runner: "kube-pod://a", version: "1.2.3", drivers: "kubernetes anyrunner-driver-b@1.0.0" };
    const script = 'echo "$_EXPERIMENTAL_DAGGER_RUNNER_HOST" "$_EXPERIMENTAL_DAGGER_CLI_BIN"; anyrunner run';
    const result = await runJob(job, { script, env: { _EXPERIMENTAL_DAGGER_RUNNER_HOST: "tcp://other:1" } });
    expect(result.stdout).toBe(`unix:///run/b.sock ${root}${FOLDER}/node_modules/.bin/anyrunner\n`);
    expect(result.calls).toEqual([
      `npm install --prefix ${FOLDER} --no-global --ignore-scripts --omit=dev --no-audit --no-fund --no-update-notifier -- @anyrunner/cli@1.2.3`,
      "drivers add kubernetes | kube-pod://a |  | home",
      "drivers add anyrunner-driver-b@1.0.0 | kube-pod://a |  | home",
      `bridge --detach --shell bash --log-file ${FOLDER}/bridge.log --rm | kube-pod://a |  | home`,
      "run | kube-pod://a | unix:///run/b.sock | home",
      "bridge --stop unix:///run/b.sock |  | tcp://other:1 | home",
    ]);
    expect([result.exitCode, result.after, readdirSync(join(root, "tmp"))]).toEqual([0, "", []]);
  });

  test("that fails ends it, too", async () => {
    const result = await runJob({}, { script: "exit 3" });
    expect([result.exitCode, result.calls.at(-1)]).toEqual([3, "bridge --stop unix:///run/b.sock |  |  | home"]);
    expect(existsSync(join(root, FOLDER))).toBe(false);
  });

  test("whose runner can't be reached fails with what doctor says", async () => {
    const result = await runJob({}, { env: { FAIL: "bridge" } });
    expect([result.exitCode, result.stderr]).toEqual([1, "error: no engine\n"]);
    expect(result.calls.at(-1)).toBe("doctor |  |  | home");
    expect(existsSync(join(root, FOLDER))).toBe(false);
  });

  test("names no runner where none is given, and keeps what it is told to keep", async () => {
    const env = { DAGGER_RUNNER_HOST: "tcp://given:1", ANYRUNNER_RUNNER: "tcp://of-the-pipeline:1" };
    const { calls: said } = await runJob({ "engine-stop": "false", version: "./packed.tgz" }, { script: 'echo "$DAGGER_RUNNER_HOST"', env });
    expect(said[0]).toMatch(/ -- \.\/packed\.tgz$/);
    expect(said[1]).toBe(`bridge --detach --shell bash --log-file ${FOLDER}/bridge.log | tcp://of-the-pipeline:1 |  | home`);
  });

  test("with start: false starts nothing", async () => {
    expect((await runJob({ start: "false" })).calls).toHaveLength(1);
  });

  test("in an image without npm says what it needs", async () => {
    rmSync(join(root, "bin/npm"));
    writeFileSync(join(root, "calls"), "");
    const result = await runJob({}, { env: { PATH: withoutNpm() } });
    expect([result.exitCode, result.stderr]).toEqual([1, expect.stringContaining("there is no npm on PATH")]);
  });
});

test("every input has a default and a description, and the job's name is one", () => {
  expect(Object.values(inputs).filter((input) => input.default === undefined || !input.description.endsWith("."))).toEqual([]);
  expect(Object.keys(jobOf({ as: ".lab" }))).toEqual([".lab"]);
});

test("the guide explains each input, and the example uses no other", () => {
  const repository = join(import.meta.dirname, "../../..");
  const guide = readFileSync(join(repository, "docs/guide/ci.md"), "utf8");
  expect(Object.keys(inputs).filter((name) => !guide.includes(`\`${name}\``))).toEqual([]);
  const example = parse(readFileSync(join(repository, "examples/ci/gitlab-ci.yml"), "utf8"), { logLevel: "silent" }) as {
    readonly include: readonly { readonly inputs: Values }[];
  };
  expect(Object.keys(inputs)).toEqual(expect.arrayContaining(example.include.flatMap((one) => Object.keys(one.inputs))));
});

/** The programs that the scripts use, and no other. */
function withoutNpm(): string {
  const folder = join(root, "tools");
  mkdirSync(folder);
  for (const name of ["sh", "mkdir", "cat", "rm"]) writeProgram(`tools/${name}`, `#!/bin/sh\nexec /bin/${name} "$@"\n`);
  return folder;
}
