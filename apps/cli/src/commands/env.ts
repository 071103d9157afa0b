import { access, constants } from "node:fs/promises";
import { resolve } from "node:path";

import { chooseClientRunner, type ClientRunner } from "@anyrunner/client";
import { describeClue, findEngineVersion } from "@anyrunner/config";
import { formatProvenance, parseRunnerUrl, RUNNER_HOST_VARIABLES, RunnerError, serializeRunnerUrl, type Provenance } from "@anyrunner/core";
import { resolveDockerEndpoint } from "@anyrunner/docker-endpoint";

import { bridgeFact, describeBridge } from "../bridge-fact.ts";
import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { formatWithDrivers } from "../find-runner.ts";
import { openCliRegistry } from "../list-runners.ts";
import { chooseShell, formatComment, formatExport } from "../shell-exports.ts";

export interface EnvCommandOptions {
  readonly runner?: string | undefined;
  /** Whose syntax. */
  readonly shell?: string | undefined;
}

interface Fact {
  readonly name: "runner" | "docker" | "engine";
  /** `null` when there is none. */
  readonly value: string | null;
  readonly from?: Provenance | undefined;
  readonly error?: { readonly code: string; readonly message: string; readonly hint?: string | undefined } | undefined;
}

interface RunnerFact extends Fact {
  /** What a variable may say; absent when it would tell a secret. */
  readonly variable?: string | undefined;
  /** The URL with everything in it. */
  readonly url?: string | undefined;
}

/** The variable by which official SDKs find the program that opens their session. */
const CLI_VARIABLE = "_EXPERIMENTAL_DAGGER_CLI_BIN";

/**
 * Prints variables with which official SDKs use the runner that would be used here, as commands of a shell; what was chosen and who
 * says so stands in comments. Where official clients don't understand the URL, the address of a bridge that runs stands in for it.
 * Secrets are never printed: a URL that holds one is left out. Fails with USAGE.
 */
export async function envCommand(context: CommandContext, { runner, shell: flag }: EnvCommandOptions): Promise<number> {
  const shell = chooseShell(flag, context.env);
  const { variable: named, url, ...chosen } = await runnerFact(context, runner);
  const engine = await engineFact(context);
  const bridge = url === undefined ? undefined : await bridgeFact(context, { url, variable: named, version: engine.value ?? undefined });
  const variable = bridge?.kind === "running" ? bridge.address : named;
  const facts: readonly Fact[] = [chosen, engine, await dockerFact(context)];
  const program = await ownProgram();
  const variables = { ...(variable !== undefined && { [RUNNER_HOST_VARIABLES[0]]: variable }), ...(program !== undefined && { [CLI_VARIABLE]: program }) };
  if (context.json) {
    const settings = { workdir: context.cwd, progress: context.progress };
    context.print(
      JSON.stringify(
        { ...Object.fromEntries(facts.map(({ name, ...fact }) => [name, fact])), ...settings, ...(bridge !== undefined && { bridge }), variables },
        undefined,
        2,
      ),
    );
    return EXIT.success;
  }
  for (const fact of facts) context.print(formatComment(describe(fact)));
  if (bridge !== undefined) context.print(formatComment(describeBridge(bridge, named ?? "NAME")));
  if (chosen.value !== null && variable === undefined && chosen.from?.kind !== "session")
    context.print(
      formatComment(`${RUNNER_HOST_VARIABLES[0]} is left out, since the URL holds a secret; give it a name (anyrunner add NAME URL) and choose that`),
    );
  for (const [name, value] of Object.entries(variables)) context.print(formatExport(shell, name, value));
  for (const { error } of facts) if (error?.hint !== undefined) context.note(`hint: ${error.hint}`);
  return EXIT.success;
}

async function runnerFact(context: CommandContext, flag: string | undefined): Promise<RunnerFact> {
  try {
    const { chosen, name } = await chooseClientRunner(context, { runner: flag });
    if (chosen.kind === "session") return { name: "runner", value: `session on 127.0.0.1:${chosen.port}`, from: chosen.from };
    return { name: "runner", from: chosen.from, ...(await shownAndVariable(context, chosen.url, name)) };
  } catch (error) {
    return failed("runner", error);
  }
}

/** A name says nothing of what it stands for, so it is told even where the URL is secret. */
async function shownAndVariable(
  context: CommandContext,
  text: string,
  name: ClientRunner["name"],
): Promise<{ readonly value: string; readonly variable?: string | undefined; readonly url: string }> {
  const url = parseRunnerUrl(text);
  const value = await formatWithDrivers(await openCliRegistry(context), url);
  const isSecret = value !== serializeRunnerUrl(url);
  return { value, variable: isSecret ? name : text.trim(), url: text };
}

async function engineFact({ cwd, env }: CommandContext): Promise<Fact> {
  const { chosen } = await findEngineVersion({ cwd, env });
  return chosen === undefined
    ? { name: "engine", value: null }
    : { name: "engine", value: chosen.version, from: { kind: "project", name: describeClue(chosen).replace(/^\S+ \((.*)\)$/, "$1") } };
}

async function dockerFact({ env }: CommandContext): Promise<Fact> {
  try {
    const endpoint = await resolveDockerEndpoint({ env });
    return { name: "docker", value: endpoint.host, from: endpoint.from };
  } catch (error) {
    return failed("docker", error);
  }
}

/** Having none is an answer here; anything else that is wrong is shown in its place, too. */
function failed(name: Fact["name"], error: unknown): Fact {
  if (!RunnerError.is(error)) throw error;
  return { name, value: null, error: { code: error.code, message: error.message, hint: error.hint } };
}

function describe({ name, value, from, error }: Fact): string {
  if (value === null) return `${name}: ${error?.message ?? "the project names none"}`;
  return from === undefined ? `${name}: ${value}` : `${name}: ${value}, from ${formatProvenance(from)}`;
}

/** This program, where it can be started as it is. */
async function ownProgram(): Promise<string | undefined> {
  const path = resolve(process.argv[1] ?? "");
  return access(path, constants.X_OK).then(
    () => path,
    () => undefined,
  );
}
