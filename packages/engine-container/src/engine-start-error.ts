import { RunnerError } from "@anyrunner/core";

import { explainStartFailure } from "./requirements/start-failure.ts";

export interface EngineStartErrorOptions {
  readonly driver: string;
  /** Of the container. */
  readonly name: string;
  /** The end of its log. */
  readonly log: string;
  /** The command that shows more of it. */
  readonly logCommand: string;
}

const SHOWN_LINES = 5;

/** The error of an engine that was started and does not get ready: with its last words, and their reason and remedy where they are known. */
export function engineStartError(error: RunnerError, { driver, name, log, logCommand }: EngineStartErrorOptions): RunnerError {
  const lines = log.trim().split("\n").slice(-SHOWN_LINES).join("\n");
  const why = error.code === "NOT_RUNNING" ? explainStartFailure(log) : undefined;
  const what = why === undefined ? `was started but does not answer: ${error.message}` : `does not start: it ${why.reason}`;
  return new RunnerError(why?.code ?? error.code, `the engine "${name}" ${what}${lines === "" ? "" : `\nits last words:\n${lines}`}`, {
    hint: (why && remedyFor(why.remedy, driver)) ?? error.hint ?? `see its log: ${logCommand}`,
    cause: error,
    driver,
    retryable: false,
    details: { container: name, lastOutput: log, ...(why !== undefined && { requirement: why.requirement }) },
  });
}

/** Which of them clear their disk by such a command. */
const PRUNING: ReadonlySet<string> = new Set(["docker", "podman", "nerdctl", "finch"]);

function remedyFor(remedy: string, driver: string): string {
  return remedy.replace(", docker system prune", PRUNING.has(driver) ? `, ${driver} system prune` : "");
}
