import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

import { processLives } from "@anyrunner/config";
import { RUNNER_HOST_VARIABLES, RunnerError, runnerErrorFromJson, type JsonObject } from "@anyrunner/core";
import { pause } from "@anyrunner/core/driver";
import { startDetached } from "@anyrunner/exec";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { interruptible } from "../interrupts.ts";
import { chooseShell, formatExport } from "../shell-exports.ts";
import type { BridgeCommandOptions } from "./bridge.ts";

export interface DetachBridgeOptions extends BridgeCommandOptions {
  readonly detach: boolean;
  /** What the bridge writes. Default: only what it writes until it serves is shown. */
  readonly logFile?: string | undefined;
}

/** What a bridge prints as JSON when it serves. */
type ServingBridge = JsonObject & { readonly address: string; readonly pid: number };

const POLL_MS = 100;

/**
 * Starts the bridge in the background, shows what it has to say until it serves, and leaves it there. Fails as the bridge does, and
 * with USAGE.
 */
export function detachBridgeCommand(context: CommandContext, options: DetachBridgeOptions): Promise<number> {
  checkUsage(options);
  const shell = chooseShell(options.shell, context.env);
  return interruptible(async (signal) => {
    const folder = options.logFile === undefined ? await mkdtemp(join(tmpdir(), "anyrunner-log-")) : undefined;
    const logFile = folder === undefined ? resolve(context.cwd, options.logFile ?? "") : join(folder, "log");
    try {
      const serving = await start(context, { options, logFile, signal });
      if (context.json) {
        context.print(JSON.stringify(serving));
        return EXIT.success;
      }
      context.print(formatExport(shell, RUNNER_HOST_VARIABLES[0], serving.address));
      context.note(`in the background as process ${serving.pid}; anyrunner bridge --stop ${serving.address} ends it`);
      return EXIT.success;
    } finally {
      if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    }
  });
}

function checkUsage({ detach, exec, command }: DetachBridgeOptions): void {
  if (!detach) throw new RunnerError("USAGE", "--log-file is for --detach alone", { hint: "redirect standard error, or add --detach" });
  if (exec) throw new RunnerError("USAGE", "--exec and --detach exclude each other", { hint: "leave one of them out" });
  if (command.length > 0)
    throw new RunnerError("USAGE", `"${command[0]}" is unexpected`, { hint: "leave it out: nothing runs with a bridge in the background" });
}

async function start(
  context: CommandContext,
  { options, logFile, signal }: { readonly options: DetachBridgeOptions; readonly logFile: string; readonly signal: AbortSignal },
): Promise<ServingBridge> {
  const offset = await stat(logFile).then(
    ({ size }) => size,
    () => 0,
  );
  const pid = await startDetached({
    command: process.execPath,
    args: [...process.execArgv, process.argv[1] ?? "", ...argumentsOf(context, options)],
    env: context.env,
    cwd: context.cwd,
    logFile,
  });
  if (pid === undefined) throw new RunnerError("COMMAND_FAILED", "no process for the bridge can be started", { hint: "run it in the foreground to see more" });
  try {
    return await awaitServing(context, { pid, readLines: lineReader(logFile, offset), signal });
  } catch (error) {
    if (processLives(pid)) process.kill(pid, "SIGTERM");
    throw error;
  }
}

function argumentsOf({ progress }: CommandContext, { runner, listen, certs, insecureTcp, remove = false }: BridgeCommandOptions): readonly string[] {
  const flags = { "--runner": runner, "--listen": listen, "--certs": certs, "--progress": progress };
  const given = Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
  return ["bridge", "--json", ...given, ...(insecureTcp ? ["--insecure-tcp"] : []), ...(remove ? ["--rm"] : [])];
}

async function awaitServing(
  { note }: CommandContext,
  { pid, readLines, signal }: { readonly pid: number; readonly readLines: () => Promise<readonly string[]>; readonly signal: AbortSignal },
): Promise<ServingBridge> {
  let failure: RunnerError | undefined;
  for (;;) {
    // Before its words are read, so that the last ones are among them.
    const lives = processLives(pid);
    for (const line of await readLines()) {
      const message = parseMessage(line);
      if (isServing(message, pid)) return message;
      if (isObject(message["error"])) failure = runnerErrorFromJson(message["error"]);
      else note(line);
    }
    if (!lives) throw failure ?? new RunnerError("COMMAND_FAILED", "the bridge ended before it served", { hint: "run it in the foreground to see more" });
    await pause(POLL_MS, signal);
  }
}

/** Gives the whole lines that were added to the file since the last call. */
function lineReader(path: string, offset: number): () => Promise<readonly string[]> {
  let position = offset;
  let rest = "";
  const decoder = new TextDecoder();
  return async () => {
    await using file = await open(path, "r");
    const { size } = await file.stat();
    if (size <= position) return [];
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - position), 0, size - position, position);
    position += bytesRead;
    const lines = (rest + decoder.decode(buffer.subarray(0, bytesRead), { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    return lines;
  };
}

function parseMessage(line: string): JsonObject {
  if (!line.startsWith("{")) return {};
  try {
    const value: unknown = JSON.parse(line);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function isServing(message: JsonObject, pid: number): message is ServingBridge {
  return typeof message["address"] === "string" && message["pid"] === pid;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
