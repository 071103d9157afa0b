import { parseRunnerUrl, type RunnerDriver, type RunnerHandle } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { lastLogLines } from "../engine-log.ts";
import type { Recorder } from "./check.ts";

/** The runtimes that are spoken to by their command-line programs, by their drivers' names. */
export const CLI_RUNTIMES = ["podman", "nerdctl", "finch", "apple"] as const;
export type CliRuntime = (typeof CLI_RUNTIMES)[number];

export interface RuntimeQuestion {
  readonly runtime: CliRuntime;
  /** Of the runner. */
  readonly url: string;
  readonly port: { readonly address: string; readonly port: number } | undefined;
  readonly engineRuns: boolean;
}

const LOG_LINES = 20;

export function isCliRuntime(driver: string | undefined): driver is CliRuntime {
  return (CLI_RUNTIMES as readonly (string | undefined)[]).includes(driver);
}

/** What an engine needs of such a runtime, and of this machine. */
export async function checkRuntime({ env }: CommandContext, question: RuntimeQuestion, { record, signal }: Recording): Promise<void> {
  const { readRuntimeChecks } = await import("@anyrunner/driver-podman");
  const { runtime, url, port, engineRuns } = question;
  for (const check of await readRuntimeChecks({ runtime, place: placeIn(url), env, port, engineRuns, signal })) record(check);
}

/** The end of the log of a container of such a runtime that doesn't run. */
export async function recordDeadLog(driver: RunnerDriver, url: string, { record, signal }: Recording): Promise<void> {
  const place = placeIn(url);
  const name = parseRunnerUrl(url).body;
  const handle: RunnerHandle = {
    driver: driver.name,
    id: name,
    endpoint: { container: name, name, ...(place !== undefined && { place }) },
    owned: false,
    labels: {},
  };
  const lines = await lastLogLines(driver, handle, { tail: LOG_LINES, signal }).catch(() => []);
  record({
    id: "container.log",
    status: lines.length === 0 ? "skipped" : "ok",
    detail: lines.length === 0 ? "it wrote nothing" : `its last words:\n${lines.join("\n")}`,
  });
}

interface Recording {
  readonly record: Recorder;
  readonly signal: AbortSignal;
}

/** Podman's connection or containerd's namespace. */
function placeIn(url: string): string | undefined {
  if (!url.includes("://")) return undefined;
  return parseRunnerUrl(url).params.find(({ name }) => name === "connection" || name === "namespace")?.value;
}
