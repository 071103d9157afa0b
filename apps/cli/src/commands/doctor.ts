import { urlOfName } from "@anyrunner/client";
import { openUserStore, type UserSettings } from "@anyrunner/config";
import { parseRunnerUrl, RunnerError, throwIfAborted } from "@anyrunner/core";
import { resolveDockerEndpoint, type DockerEndpoint } from "@anyrunner/docker-endpoint";
import { hostChecks, thisHost, type Check } from "@anyrunner/engine-container";

import type { CommandContext } from "../command-context.ts";
import { checkCandidates } from "../doctor/candidate-checks.ts";
import { failureOf, type Recorder } from "../doctor/check.ts";
import { checkContainer } from "../doctor/container-checks.ts";
import { checkDocker, isLocalDaemon } from "../doctor/docker-checks.ts";
import { checkEngineOf } from "../doctor/engine-checks.ts";
import { formatCheck } from "../doctor/format-check.ts";
import { asksForGpus, checkGpus } from "../doctor/gpu-checks.ts";
import { checkRuntime, isCliRuntime, recordDeadLog } from "../doctor/runtime-checks.ts";
import { checkChoice, checkSetup } from "../doctor/setup-checks.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, isIdOfRunner, type FoundRunner } from "../find-runner.ts";
import { interruptible } from "../interrupts.ts";
import { openCliRegistry } from "../list-runners.ts";

export interface DoctorCommandOptions {
  /** A name, a URL, or what `ls` shows of a runner. Default: the runner that would be used. */
  readonly runner?: string | undefined;
  /** A URL that the engine shall fetch. */
  readonly fetch?: string | undefined;
}

/**
 * Looks at everything between here and an answered query, and says for each thing what was seen, and for each failure the reason and
 * the remedy. Makes, starts and changes nothing. The exit code is 1 when something failed.
 */
export function doctorCommand(context: CommandContext, options: DoctorCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    if (options.fetch !== undefined && !/^https?:\/\//.test(options.fetch))
      throw new RunnerError("USAGE", `--fetch is no URL: "${options.fetch}"`, { hint: "write for example --fetch https://example.com" });
    const checks: Check[] = [];
    const record: Recorder = (check) => {
      checks.push(check);
      if (!context.json) for (const line of formatCheck(check, context.columns)) context.print(line);
    };
    await checkEverything({ ...context, report: () => {} }, options, { record, signal });
    const failed = checks.filter(({ status }) => status === "failed").length;
    if (context.json) context.print(JSON.stringify({ ok: failed === 0, checks }, undefined, 2));
    else context.print(`\n${summaryOf(checks, failed)}`);
    return failed === 0 ? EXIT.success : EXIT.failure;
  });
}

interface Recording {
  readonly record: Recorder;
  readonly signal: AbortSignal;
}

async function checkEverything(context: CommandContext, { runner, fetch }: DoctorCommandOptions, recording: Recording): Promise<void> {
  const { record } = recording;
  await checkSetup({ context, ...recording });
  const settings = await openUserStore({ env: context.env }).read();
  const word = runner !== undefined && isIdOfRunner(runner, settings) ? runner : await checkChoice({ context, ...recording }, runner);
  // A daemon that nobody needs is no failure.
  const docker = await checkDocker(context, {
    ...recording,
    record: (check) => record(check.status === "failed" && !needsDocker(word) ? { ...check, status: "warning" } : check),
  });
  const { engineRuns, runtime, url = "" } = word === undefined ? NOTHING : await checkRunner(context, { word, settings }, { ...recording, fetch });
  if (docker !== undefined && runtime === "docker" && asksForGpus(url)) await checkGpus(context, docker.endpoint, recording);
  if (isCliRuntime(runtime)) await checkRuntime(context, { runtime, url, port: portOf(url), engineRuns }, recording);
  else if (docker !== undefined && isLocalDaemon(docker.endpoint) && !isElsewhere(runtime)) {
    for (const check of await hostChecks(thisHost, { rootFolder: docker.info.DockerRootDir, port: portOf(url || word), engineRuns })) record(check);
  }
}

/** Whether the engine is on another machine by the nature of its driver: what this one lacks does not matter then. */
function isElsewhere(runtime: string | undefined): boolean {
  return runtime === "kubernetes" || runtime === "ssh";
}

function needsDocker(word: string | undefined): boolean {
  return word === undefined || /^(embedded|docker-|container\+docker|image)/.test(word);
}

interface CheckedRunner {
  readonly engineRuns: boolean;
  /** Name of the driver that serves it, or failed to. */
  readonly runtime?: string | undefined;
  readonly url?: string | undefined;
}

const NOTHING: CheckedRunner = { engineRuns: false };

async function checkRunner(
  context: CommandContext,
  { word, settings }: { readonly word: string; readonly settings: UserSettings },
  { record, signal, fetch }: Recording & { readonly fetch: string | undefined },
): Promise<CheckedRunner> {
  const isId = isIdOfRunner(word, settings);
  const url = isId ? "" : urlOfName(word, settings).url;
  const registry = await openCliRegistry(context);
  if (!isId && !(await checkCandidates(registry, { word, settings }, { record, signal }))) {
    record({ id: "runner", status: "skipped", detail: "its driver doesn't answer" });
    return { engineRuns: false, url };
  }
  let found: FoundRunner;
  try {
    found = await findRunner(context, word, signal);
  } catch (error) {
    throwIfAborted(signal);
    record({ id: "runner", ...failureOf(error) });
    if (url !== "") await checkDeadContainer(context, url, error, { record, signal });
    const runtime = RunnerError.is(error) ? error.driver : undefined;
    if (RunnerError.is(error) && error.code === "NOT_RUNNING" && isCliRuntime(runtime) && url !== "" && !/image/.test(parseRunnerUrl(url).scheme))
      await recordDeadLog(await registry.driver(runtime), url, { record, signal });
    return { engineRuns: false, runtime, url };
  }
  const { handle } = found;
  const runner = { runtime: found.driver.name, url };
  if (handle === undefined) {
    record({ id: "runner", status: "skipped", detail: `${found.label} was not made yet; a session, or \`anyrunner start\`, makes it` });
    return { ...runner, engineRuns: false };
  }
  record({ id: "runner", status: "ok", detail: `driver ${found.driver.name}, id ${handle.id}${handle.owned ? ", made by anyrunner" : ""}` });
  const { docker, container } = handle.endpoint as { readonly docker?: DockerEndpoint; readonly container?: unknown };
  if (docker !== undefined && typeof container === "string" && !(await checkContainer({ endpoint: docker, container }, { record, signal })))
    return { ...runner, engineRuns: false };
  return { ...runner, engineRuns: await checkEngineOf({ ...found, handle }, { context, record, signal, fetch }) };
}

/** A container that can't be connected to is still there to be looked at. */
async function checkDeadContainer({ env }: CommandContext, text: string, error: unknown, recording: Recording): Promise<void> {
  if (!RunnerError.is(error) || error.code !== "NOT_RUNNING" || error.driver !== "docker") return;
  const { scheme, body, params } = parseRunnerUrl(text);
  if (!/^(docker-container|container(\+docker)?)$/.test(scheme)) return;
  const param = (wanted: string) => params.find(({ name }) => name === wanted)?.value;
  const endpoint = await resolveDockerEndpoint({ env, context: param("context"), host: param("host") }).catch(() => undefined);
  if (endpoint !== undefined) await checkContainer({ endpoint, container: body }, recording);
}

function portOf(word: string | undefined): { readonly address: string; readonly port: number } | undefined {
  if (word === undefined || !word.includes("://")) return undefined;
  const match = /^(?:(?<address>.+):)?(?<port>\d{1,5})$/.exec(parseRunnerUrl(word).params.find(({ name }) => name === "port")?.value ?? "");
  const port = Number(match?.groups?.["port"] ?? 0);
  return port < 1 || port > 65_535 ? undefined : { address: match?.groups?.["address"] ?? "127.0.0.1", port };
}

/** `nothing is wrong, 2 warnings` */
function summaryOf(checks: readonly Check[], failed: number): string {
  const warnings = checks.filter(({ status }) => status === "warning").length;
  const besides = warnings === 0 ? "" : warnings === 1 ? ", 1 warning" : `, ${warnings} warnings`;
  return `${failed === 0 ? "nothing is wrong" : `${failed} of ${checks.length} checks failed`}${besides}`;
}
