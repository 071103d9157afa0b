import { basename } from "node:path";

import { chooseClientRunner } from "@anyrunner/client";
import { prepareToSpawn } from "@anyrunner/exec";

import { exitCodeOfChild, forwardTo, startChild } from "../child-command.ts";
import type { CommandContext } from "../command-context.ts";
import { drawsItself } from "../draws-itself.ts";
import { EXIT } from "../exit-codes.ts";
import { hideToken } from "../hide-token.ts";
import { interruption, onInterrupt, type EndSignal } from "../interrupts.ts";
import { announceSession, openCliSession, type CliSession } from "../open-cli-session.ts";
import { pipelineProgress } from "../progress/progress-mode.ts";

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
  let onSignal: (signal: EndSignal) => void = (signal) => connecting.abort(interruption(signal));
  const stop = onInterrupt((signal) => onSignal(signal));
  try {
    const runner = await chooseClientRunner(context, { runner: options.runner, signal: connecting.signal });
    const { chosen } = runner;
    if (chosen.kind === "session") {
      announceSession(context, chosen);
      const child = await startChild(context, options.command, {}, connecting.signal);
      onSignal = forwardTo(child, options.cleanupTimeoutMs);
      return exitCodeOfChild(await child.exited);
    }
    const prepared = prepareToSpawn();
    const session = await openCliSession(
      { ...context, progress: pipelineProgress(context.progress, { env: context.env, stream: process.stderr }) },
      { runner: { ...runner, chosen }, name: `anyrunner run ${basename(options.command[0] ?? "")}`, signal: connecting.signal },
    );
    try {
      await prepared;
      return await runInSession(session, context, options, { signal: connecting.signal, setSignalListener: (listener) => (onSignal = listener) });
    } finally {
      // Whoever interrupts the farewell doesn't want to wait for it.
      onSignal = () => process.exit(EXIT.interrupted);
      await session.close();
    }
  } finally {
    stop();
  }
}

interface SignalsOfStart {
  /** Aborted by what comes before the listener is set. */
  readonly signal: AbortSignal;
  readonly setSignalListener: (listener: (signal: EndSignal) => void) => void;
}

async function runInSession(
  session: CliSession,
  context: CommandContext,
  options: RunCommandOptions,
  { signal, setSignalListener }: SignalsOfStart,
): Promise<number> {
  const { childBaggage, childTelemetryVariables, formatTraceparent, serveSession, serveTelemetry } = await import("@anyrunner/engine");
  const server = await serveSession(session);
  hideToken(session.telemetry, server.token);
  const receiver = await serveTelemetry({ onBatch: session.onChildTelemetry }).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  const isInTheWay = session.telemetry.isDrawn && drawsItself(options.command);
  const release = isInTheWay ? session.telemetry.hold() : () => {};
  try {
    const child = await startChild(
      context,
      options.command,
      {
        DAGGER_SESSION_PORT: String(server.port),
        DAGGER_SESSION_TOKEN: server.token,
        TRACEPARENT: formatTraceparent(session.trace),
        BAGGAGE: childBaggage(session.trace.spanId, context.env),
        ...childTelemetryVariables(receiver.endpoint, context.env),
        // Else the official CLI in a script would draw its own tree over ours.
        ...(session.telemetry.isDrawn && !isInTheWay && !context.env["DAGGER_PROGRESS"] ? { DAGGER_PROGRESS: "plain" } : {}),
      },
      signal,
    );
    setSignalListener(forwardTo(child, options.cleanupTimeoutMs));
    const first = await Promise.race([child.exited, session.ended]);
    if (!("kind" in first)) return exitCodeOfChild(first);
    await child.end({ graceMs: LOST_GRACE_MS });
    if (first.kind === "lost") throw first.error;
    return EXIT.failure;
  } finally {
    release();
    await Promise.all([server.close(), receiver.close()]);
  }
}
