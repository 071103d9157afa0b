import { chooseClientRunner } from "@anyrunner/client";
import { describeClue, findEngineVersion, loadProjectConfig, openUserStore, requireOneEngine, type VersionClue } from "@anyrunner/config";
import { formatProvenance, parseRunnerUrl, RUNNER_HOST_VARIABLES } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { formatWithDrivers } from "../find-runner.ts";
import { openCliRegistry } from "../list-runners.ts";
import { findReaper } from "../reaper/reaper-lock.ts";
import { checked, type Recorder } from "./check.ts";

interface SetupOptions {
  readonly context: CommandContext;
  readonly record: Recorder;
  readonly signal: AbortSignal;
}

/** Node, the files that say what is wanted, and the versions that the project names. */
export async function checkSetup({ context, record, signal }: SetupOptions): Promise<void> {
  const { cwd, env } = context;
  record({ id: "node", status: "ok", detail: `${process.versions.node} on ${process.platform}/${process.arch} (${process.execPath})` });
  await checked({ id: "config.project", record, signal }, async () => {
    const config = await loadProjectConfig({ cwd });
    const detail =
      config === undefined
        ? `no anyrunner.config.yaml from ${cwd} upwards`
        : `${config.file}${config.image === undefined ? "" : `; images from ${config.image}`}`;
    return { value: config, detail };
  });
  await checked({ id: "config.user", record, signal }, async () => {
    const store = openUserStore({ env });
    const { runners = {}, runner } = await store.read();
    return { value: undefined, detail: `${store.file}: ${Object.keys(runners).length} names${runner === undefined ? "" : ", one in use"}` };
  });
  const reaper = await findReaper({ env });
  record({
    id: "reaper",
    status: "ok",
    detail: reaper === undefined ? "none runs: no engine is to be stopped when it is idle" : `process ${reaper} watches for idle engines`,
  });
  await checked({ id: "engine.version", record, signal }, async () => {
    const finding = await findEngineVersion({ cwd, env, askCli: true, signal });
    requireOneEngine(finding);
    if (finding.chosen === undefined) return { value: undefined, detail: "the project names no version of Dagger" };
    const differ = finding.conflicts.length > 0;
    return {
      value: undefined,
      status: differ ? "warning" : "ok",
      detail: listClues(finding.clues),
      ...(differ && { remedy: `bring them to one version; an engine ${finding.chosen.version} serves all of them` }),
    };
  });
}

/** Says for each step of the order what it has, and which one wins; gives the winner's URL, or nothing. */
export async function checkChoice({ context, record, signal }: SetupOptions, flag: string | undefined): Promise<string | undefined> {
  return checked({ id: "choice", record, signal }, async () => {
    const { chosen, config, store } = await chooseClientRunner(context, { runner: flag, signal });
    const settings = await store.read();
    const steps = [
      `flag: ${flag === undefined ? "none" : "given"}`,
      `surrounding session: ${context.env["DAGGER_SESSION_PORT"] ? "yes" : "none"}`,
      `variables: ${RUNNER_HOST_VARIABLES.filter((name) => context.env[name]).join(", ") || "none"}`,
      `project: ${config?.runner === undefined ? "none" : config.file}`,
      `user's choice: ${settings.runner === undefined ? "none" : store.file}`,
    ].join("; ");
    if (chosen.kind === "session")
      return { value: undefined, detail: `the session on 127.0.0.1:${chosen.port} is joined, from ${formatProvenance(chosen.from)} (${steps})` };
    const shown = await formatWithDrivers(await openCliRegistry(context), parseRunnerUrl(chosen.url));
    return { value: chosen.url, detail: `${shown}, from ${formatProvenance(chosen.from)} (${steps})` };
  });
}

function listClues(clues: readonly VersionClue[]): string {
  return clues.map(describeClue).join("; ");
}
