import { access, chmod, constants, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";

import { RunnerError } from "@anyrunner/core";
import { runProgram } from "@anyrunner/exec";

export interface InstallCommandOptions {
  /** What npm shall install. */
  readonly spec: string;
  /** Of this job alone. */
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

const PACKAGE = "@anyrunner/cli";
const BUDGET_MS = 600_000;

/**
 * Installs the command into `folder`, with npm and without running a script of any package, and gives its path. It runs on the Node of this
 * process, whichever the steps of the job have. Fails with NOT_AVAILABLE or COMMAND_FAILED.
 */
export async function installCommand({ spec, folder, env, signal }: InstallCommandOptions): Promise<string> {
  const prefix = join(folder, "cli");
  await mkdir(prefix);
  const [command = "", ...npm] = await findNpm(env);
  const flags = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--omit=dev", "--no-global", "--prefix", prefix];
  const { exitCode, stderr } = await runProgram({ command, args: [...npm, "install", ...flags, "--", spec], cwd: prefix, env, signal, timeoutMs: BUDGET_MS });
  if (exitCode !== 0)
    throw new RunnerError("COMMAND_FAILED", `npm install ${spec} ended with ${exitCode}: ${lastWords(stderr)}`, {
      hint: "check the input version, and that npm reaches its registry",
    });
  return writeLauncher(folder, await programOf(join(prefix, "node_modules", PACKAGE), spec));
}

/** The command that is on PATH. Fails with NOT_FOUND. */
export async function findCommand({ PATH = "" }: InstallCommandOptions["env"]): Promise<string> {
  const found = await findProgram("anyrunner", PATH);
  if (found !== undefined) return found;
  throw new RunnerError("NOT_FOUND", "there is no anyrunner on PATH", { hint: "leave the input install out, or install it in a step before" });
}

/** The one on PATH, else the one that came with the Node that runs actions. */
async function findNpm({ PATH = "" }: InstallCommandOptions["env"]): Promise<readonly string[]> {
  const onPath = await findProgram("npm", PATH);
  if (onPath !== undefined) return [onPath];
  const bundled = join(dirname(process.execPath), "../lib/node_modules/npm/bin/npm-cli.js");
  if (await isAllowed(bundled, constants.R_OK)) return [process.execPath, bundled];
  throw new RunnerError("NOT_AVAILABLE", "there is no npm on PATH", { hint: "add a step with actions/setup-node before this one" });
}

async function findProgram(name: string, path: string): Promise<string | undefined> {
  for (const folder of path.split(delimiter)) {
    if (folder !== "" && (await isAllowed(join(folder, name), constants.X_OK))) return join(folder, name);
  }
  return undefined;
}

function isAllowed(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}

async function programOf(installed: string, spec: string): Promise<string> {
  const manifest = await readFile(join(installed, "package.json"), "utf8").catch(() => "{}");
  const { bin } = JSON.parse(manifest) as { readonly bin?: Readonly<Record<string, string>> };
  if (bin?.["anyrunner"] !== undefined) return join(installed, bin["anyrunner"]);
  throw new RunnerError("COMMAND_FAILED", `${spec} holds no ${PACKAGE}`, { hint: "check the input version" });
}

async function writeLauncher(folder: string, program: string): Promise<string> {
  const launcher = join(folder, "bin", "anyrunner");
  await mkdir(dirname(launcher));
  await writeFile(launcher, `#!/bin/sh\nexec ${quote(process.execPath)} ${quote(program)} "$@"\n`);
  await chmod(launcher, 0o755);
  return launcher;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function lastWords(stderr: string): string {
  const lines = stderr.split("\n").filter((line) => line.startsWith("npm error") && !line.includes("A complete log"));
  return (lines.slice(0, 3).join(" ") || stderr.trim().split("\n").at(-1) || "it said nothing").replaceAll("npm error ", "");
}
