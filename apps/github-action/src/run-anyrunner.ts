import { createInterface } from "node:readline";
import type { Readable } from "node:stream";

import { RunnerError, runnerErrorFromJson, throwIfAborted, type JsonObject } from "@anyrunner/core";
import { spawnProgram } from "@anyrunner/exec";

export interface RunAnyrunnerOptions {
  /** Path of the command. */
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Gets what it says while it works, a line at a time. */
  readonly print: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Runs the command with `--json` and gives what it prints, `{}` when that is nothing. Fails as the command does, or with COMMAND_FAILED or ABORTED. */
export async function runAnyrunner({ command, args, print, signal, ...where }: RunAnyrunnerOptions): Promise<JsonObject> {
  const child = await spawnProgram({ command, args: [...args, "--json"], stdio: ["ignore", "pipe", "pipe"], signal, ...where });
  let failure: RunnerError | undefined;
  const results: JsonObject[] = [];
  const [{ exitCode }] = await Promise.all([
    child.exited,
    eachLine(child.stdout, (line) => {
      const value = parseObject(line);
      if (value !== undefined) results.push(value);
    }),
    eachLine(child.stderr, (line) => {
      const error = parseObject(line)?.["error"];
      if (isObject(error)) failure = runnerErrorFromJson(error);
      else print(line);
    }),
  ]);
  throwIfAborted(signal);
  if (failure !== undefined) throw failure;
  if (exitCode !== 0) throw new RunnerError("COMMAND_FAILED", `anyrunner ${args[0]} ended with ${exitCode}`, { hint: "the lines above say why" });
  return results.at(-1) ?? {};
}

async function eachLine(stream: Readable | undefined, take: (line: string) => void): Promise<void> {
  if (stream === undefined) return;
  for await (const line of createInterface({ input: stream, crlfDelay: Infinity })) take(line);
}

function parseObject(line: string): JsonObject | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
