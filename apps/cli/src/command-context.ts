import { statSync } from "node:fs";
import { resolve } from "node:path";

import { RunnerError, type Reporter } from "@anyrunner/core";

import { createReporter } from "./create-reporter.ts";
import { progressMode, type ProgressMode } from "./progress/progress-mode.ts";

/** The options that every command takes. */
export interface GlobalOptions {
  readonly json?: boolean | undefined;
  readonly progress?: string | undefined;
  readonly workdir?: string | undefined;
  readonly silent?: boolean | undefined;
  readonly quiet?: boolean | undefined;
  readonly traceFile?: string | undefined;
}

/** What a command works with. */
export interface CommandContext {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Absolute. */
  readonly cwd: string;
  readonly json: boolean;
  readonly progress: ProgressMode;
  /** Where the telemetry of a session is saved, absolute. */
  readonly telemetryFile: string | undefined;
  readonly version: string;
  readonly report: Reporter;
  /** Of the terminal that standard output is; absent where it is none. */
  readonly columns: number | undefined;
  /** A line of the result, on standard output. */
  readonly print: (line: string) => void;
  /** A line about the work, on standard error; nothing with `--silent` or `--quiet`. */
  readonly note: (line: string) => void;
}

/** Fails with USAGE for a working directory that isn't there. */
export function createContext(options: GlobalOptions, version: string): CommandContext {
  const { env } = process;
  const silent = options.silent ?? options.quiet ?? isTrue(env["DAGGER_SILENT"]);
  const progress = progressMode({ flag: options.progress, env, silent });
  const note = (line: string) => {
    if (progress !== "quiet") process.stderr.write(`${line}\n`);
  };
  const named = options.workdir ?? (env["DAGGER_WORKDIR"] || undefined);
  const cwd = resolve(named ?? ".");
  if (named !== undefined && !isFolder(cwd)) throw noFolder(cwd, options.workdir === undefined ? "DAGGER_WORKDIR" : "--workdir");
  return {
    env,
    cwd,
    telemetryFile: options.traceFile === undefined ? undefined : resolve(options.traceFile),
    json: options.json ?? false,
    progress,
    version,
    report: createReporter({ progress, write: note }),
    columns: process.stdout.isTTY ? process.stdout.columns || undefined : undefined,
    print: (line) => void process.stdout.write(`${line}\n`),
    note,
  };
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

function noFolder(path: string, name: string): RunnerError {
  return new RunnerError("USAGE", `there is no folder ${path} to work in`, { hint: `correct ${name}`, details: { path } });
}

function isTrue(value: string | undefined): boolean {
  return value !== undefined && /^(1|t|true)$/i.test(value);
}
