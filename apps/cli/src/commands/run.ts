import { chooseClientRunner } from "@anyrunner/client";
import type { EngineSession } from "@anyrunner/engine";
import { prepareToSpawn, signalExitCode, spawnProgram, type SpawnedProgram } from "@anyrunner/exec";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { onInterrupt, type EndSignal } from "../interrupts.ts";
import { announceSession, openCliSession } from "../open-cli-session.ts";
import { pipelineProgress } from "../progress-mode.ts";

export interface RunCommandOptions {
  readonly command: readonly string[];
  /** Value of `--runner`. */
  readonly runner?: string | undefined;
  /** Between the signal that was forwarded and SIGKILL, in ms. */
  readonly cleanupTimeoutMs: number;
}

/** How long the command may take to end when its session has died, in ms. */
const LOST_GRACE_MS = 3000;

/**
 * Runs a command with a session in its environment and gives the command's exit code. Standard input, output and error are
 * the command's own. When the session dies first, the command is ended and the reason is thrown.
 */
export async function runCommand(context: CommandContext, options: RunCommandOptions): Promise<number> {
  const connecting = new AbortController();
  let onSignal: (signal: EndSignal) => void = () => connecting.abort();
  const stop = onInterrupt((signal) => onSignal(signal));
  try {
    const runner = await chooseClientRunner(context, options.runner);
    const { chosen } = runner;
    if (chosen.kind === "session") {
      announceSession(context, chosen);
      const child = await startCommand(context, options, {});
      onSignal = forwardTo(child, options.cleanupTimeoutMs);
      return exitCodeOfEnd(await child.exited);
    }
    const prepared = prepareToSpawn();
    const session = await openCliSession(
      { ...context, progress: pipelineProgress(context.progress) },
      { runner: { ...runner, chosen }, signal: connecting.signal },
    );
    try {
      await prepared;
      return await runInSession(session, context, options, (listener) => (onSignal = listener));
    } finally {
      // Whoever interrupts the farewell doesn't want to wait for it.
      onSignal = () => process.exit(EXIT.interrupted);
      await session.close();
    }
  } finally {
    stop();
  }
}

async function runInSession(
  session: EngineSession,
  context: CommandContext,
  options: RunCommandOptions,
  setSignalListener: (listener: (signal: EndSignal) => void) => void,
): Promise<number> {
  const { formatTraceparent, serveSession } = await import("@anyrunner/engine");
  const server = await serveSession(session);
  try {
    const child = await startCommand(context, options, {
      DAGGER_SESSION_PORT: String(server.port),
      DAGGER_SESSION_TOKEN: server.token,
      TRACEPARENT: formatTraceparent(session.trace),
    });
    setSignalListener(forwardTo(child, options.cleanupTimeoutMs));
    const first = await Promise.race([child.exited, session.ended]);
    if (!("kind" in first)) return exitCodeOfEnd(first);
    await child.end({ graceMs: LOST_GRACE_MS });
    if (first.kind === "lost") throw first.error;
    return EXIT.failure;
  } finally {
    await server.close();
  }
}

function startCommand(context: CommandContext, { command }: RunCommandOptions, session: Readonly<Record<string, string>>): Promise<SpawnedProgram> {
  const [program = "", ...args] = command;
  return spawnProgram({ command: program, args, env: { ...context.env, ...session }, cwd: context.cwd, stdio: "inherit", terminal: usesTerminal() });
}

/**
 * With a terminal, the command stays in its foreground group: it may read keys, and the terminal itself sends it Ctrl-C.
 * Without one it leads a group of its own, so that signals reach whatever it starts.
 */
function usesTerminal(): boolean {
  return process.stdin.isTTY;
}

function forwardTo(child: SpawnedProgram, cleanupTimeoutMs: number): (signal: EndSignal) => void {
  const terminal = usesTerminal();
  let timer: NodeJS.Timeout | undefined;
  return (signal) => {
    if (terminal && (signal === "SIGINT" || signal === "SIGQUIT")) return;
    child.kill(signal);
    if (timer !== undefined) return;
    timer = setTimeout(() => child.kill("SIGKILL"), cleanupTimeoutMs);
    void child.exited.then(() => clearTimeout(timer));
  };
}

function exitCodeOfEnd({ exitCode, signal }: { readonly exitCode: number | undefined; readonly signal: string | undefined }): number {
  return exitCode ?? signalExitCode(signal ?? "");
}
