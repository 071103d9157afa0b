import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { parseRunnerUrl, RUNNER_HOST_VARIABLES, RunnerError, secretTextsOf, type JsonObject } from "@anyrunner/core";
import { runProgram } from "@anyrunner/exec";

import { findCommand, installCommand } from "./install-command.ts";
import { readInputs, type Inputs } from "./read-inputs.ts";
import { runAnyrunner } from "./run-anyrunner.ts";
import { summaryOf } from "./summary.ts";
import type { Workflow } from "./workflow-commands.ts";

export interface SetUpOptions {
  readonly workflow: Workflow;
  /** Of anyrunner, where the workflow asks for none. */
  readonly version: string;
  readonly signal: AbortSignal;
  /** Default: the system's. */
  readonly platform?: NodeJS.Platform | undefined;
}

/** What the rest of the step works with. */
interface Job {
  readonly workflow: Workflow;
  readonly inputs: Inputs;
  /** Of this job alone; the post step removes it. */
  readonly folder: string;
  /** Of each call of the command. */
  readonly env: Workflow["env"];
  readonly signal: AbortSignal;
}

/** How long the explanation of a failure may take, in ms. */
const DOCTOR_BUDGET_MS = 60_000;

/** The first half of the action: the command, its drivers, a runner that answers, and an environment in which later steps use it. */
export async function setUp({ workflow, version, signal, platform = process.platform }: SetUpOptions): Promise<void> {
  if (platform === "win32") throw new RunnerError("UNSUPPORTED", "the action doesn't run on Windows", { hint: "use a Linux or macOS machine" });
  const inputs = readInputs({ env: workflow.env, version });
  const urls = [inputs.runner, ...RUNNER_HOST_VARIABLES.map((name) => workflow.env[name])];
  for (const secret of urls.flatMap(secretsOf)) workflow.mask(secret);
  const folder = await mkdtemp(join(workflow.env["RUNNER_TEMP"] || tmpdir(), "anyrunner-"));
  workflow.saveState("folder", folder);
  const job: Job = { workflow, inputs, folder, signal, env: jobEnvironment(workflow.env, { runner: inputs.runner, home: join(folder, "home") }) };
  const command = await prepareCommand(job);
  for (const driver of inputs.drivers) await workflow.group(`Add the driver ${driver}`, () => run(job, command, ["drivers", "add", driver]));
  if (inputs.start) await startRunner(job, command);
}

/** Nothing of the machine's user decides what a job gets; of a URL's secrets the list of processes must learn nothing. */
function jobEnvironment(env: Workflow["env"], { runner, home }: { readonly runner: string | undefined; readonly home: string }): Workflow["env"] {
  const others = Object.entries(env).filter(([name]) => !name.startsWith("INPUT_"));
  if (runner === undefined) return { ...Object.fromEntries(others), ANYRUNNER_HOME: home };
  // A session around us, or a variable of the job, would win over the input.
  const given = others.filter(([name]) => !name.startsWith("DAGGER_SESSION_") && !RUNNER_HOST_VARIABLES.some((variable) => variable === name));
  return { ...Object.fromEntries(given), ANYRUNNER_HOME: home, ANYRUNNER_RUNNER: runner };
}

async function prepareCommand({ workflow, inputs, folder, signal }: Job): Promise<string> {
  const { install } = inputs;
  const { env } = workflow;
  const command = await (install === undefined
    ? findCommand(env)
    : workflow.group("Install anyrunner", async () => {
        const installed = await installCommand({ spec: install.spec, folder, env, signal });
        workflow.print(`${install.spec} in ${folder}`);
        return installed;
      }));
  workflow.saveState("command", command);
  workflow.setOutput("command", command);
  workflow.addToPath(dirname(command));
  workflow.exportVariable("ANYRUNNER_HOME", join(folder, "home"));
  // A program of an SDK that was told which CLI to start keeps that.
  if (!env["_EXPERIMENTAL_DAGGER_CLI_BIN"]) workflow.exportVariable("_EXPERIMENTAL_DAGGER_CLI_BIN", command);
  return command;
}

function run({ workflow, inputs, env, signal }: Job, command: string, args: readonly string[]): Promise<JsonObject> {
  return runAnyrunner({ command, args, env, cwd: inputs.workdir, print: workflow.print, signal });
}

async function startRunner(job: Job, command: string): Promise<void> {
  const { workflow, inputs, folder } = job;
  const flags = ["--detach", "--log-file", join(folder, "bridge.log"), ...(inputs.stopEngine ? ["--rm"] : [])];
  let bridge: JsonObject;
  try {
    bridge = await workflow.group("Start the runner", () => run(job, command, ["bridge", ...flags]));
  } catch (error) {
    await explain(job, command);
    throw withInput(error);
  }
  const { address, runner, engine } = servingBridge(bridge);
  workflow.saveState("address", address);
  workflow.exportVariable(RUNNER_HOST_VARIABLES[0], address);
  workflow.setOutput("runner", runner);
  workflow.setOutput("runner-host", address);
  workflow.setOutput("engine-version", engine);
  workflow.print(`runner ${runner} · engine ${engine}`);
  workflow.summarize(summaryOf({ runner, engine, drivers: inputs.drivers }));
}

function servingBridge({ address, runner, engine }: JsonObject): Readonly<Record<"address" | "runner" | "engine", string>> {
  const version = typeof engine === "object" && engine !== null && "version" in engine ? engine.version : undefined;
  if (typeof address === "string" && typeof runner === "string" && typeof version === "string") return { address, runner, engine: version };
  throw new RunnerError("COMMAND_FAILED", "this anyrunner doesn't say where its bridge serves", {
    hint: "use the version that belongs to the action: leave the input version out",
  });
}

/** What doctor finds, in the log; the error that is shown stays the first one. */
async function explain({ workflow, inputs, env, signal }: Job, command: string): Promise<void> {
  if (signal.aborted) return;
  await workflow.group("What doctor says", async () => {
    const doctor = runProgram({ command, args: ["doctor"], env, cwd: inputs.workdir, signal, timeoutMs: DOCTOR_BUDGET_MS });
    const said = await doctor.catch((error: Error) => ({ stdout: error.message }));
    for (const line of said.stdout.toString().trimEnd().split("\n")) workflow.print(line);
  });
}

/** What a hint tells people to run by hand is an input here. */
function withInput(error: unknown): unknown {
  if (!RunnerError.is(error) || (error.code !== "UNKNOWN_SCHEME" && error.code !== "DRIVER_NOT_INSTALLED")) return error;
  const { code, message, hint, details, driver } = error;
  const here = "in a workflow, name the driver in the input drivers";
  return new RunnerError(code, message, { hint: hint === undefined ? here : `${hint}\n${here}`, details, driver, cause: error });
}

function secretsOf(runner: string | undefined): readonly string[] {
  if (!runner) return [];
  try {
    return secretTextsOf(parseRunnerUrl(runner), []);
  } catch {
    // What is no URL is refused later, without being quoted whole.
    return [];
  }
}
