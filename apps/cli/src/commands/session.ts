import { chooseClientRunner } from "@anyrunner/client";
import { parseEngineVersion } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { hideToken } from "../hide-token.ts";
import { onInterrupt } from "../interrupts.ts";
import { announceSession, openCliSession } from "../open-cli-session.ts";
import { sessionProgress } from "../progress/progress-mode.ts";

export interface SessionCommandOptions {
  readonly runner?: string | undefined;
  /** `key:value`, as SDKs give them. */
  readonly labels: readonly string[];
  /** The version that the SDK states for itself. */
  readonly clientVersion?: string | undefined;
  /** Module loading as the caller asked for it (metadata, engine protocol 4.5). */
  readonly metadata?: Readonly<Record<string, boolean | string>> | undefined;
}

/**
 * Stands in for `dagger session` (engine protocol 6.1): one line of JSON on standard output, then a session until standard
 * input ends or a signal comes; both end it with exit code 0. The reason is thrown when the session dies by itself.
 */
export async function sessionCommand(context: CommandContext, options: SessionCommandOptions): Promise<number> {
  const ending = new AbortController();
  const stopInterrupts = onInterrupt(() => {
    if (ending.signal.aborted) process.exit(EXIT.success);
    ending.abort();
  });
  const stopInput = onInputEnd(() => ending.abort());
  process.stdout.once("error", () => ending.abort());
  try {
    return await serveUntilEnd(context, options, ending.signal);
  } catch (error) {
    // Being told to end while still connecting is an end like any other.
    if (ending.signal.aborted) return EXIT.success;
    throw error;
  } finally {
    stopInput();
    stopInterrupts();
  }
}

async function serveUntilEnd(context: CommandContext, options: SessionCommandOptions, signal: AbortSignal): Promise<number> {
  const runner = await chooseClientRunner(context, { runner: options.runner, signal });
  const { chosen } = runner;
  const ended = new Promise<"ended">((resolve) => {
    if (signal.aborted) resolve("ended");
    signal.addEventListener("abort", () => resolve("ended"), { once: true });
  });
  if (chosen.kind === "session") {
    announceSession(context, chosen);
    context.print(JSON.stringify({ port: chosen.port, session_token: chosen.token }));
    await ended;
    return EXIT.success;
  }
  const labels = readLabels(options.labels);
  const session = await openCliSession(
    { ...context, progress: sessionProgress(context.progress) },
    {
      runner: { ...runner, chosen },
      name: "anyrunner session",
      labels,
      clientVersion: clientVersion(options.clientVersion, labels),
      metadata: options.metadata,
      signal,
    },
  );
  try {
    const { serveSession } = await import("@anyrunner/engine");
    const server = await serveSession(session);
    hideToken(session.telemetry, server.token);
    try {
      context.print(JSON.stringify({ port: server.port, session_token: server.token }));
      const end = await Promise.race([ended, session.ended]);
      if (end !== "ended" && end.kind === "lost") throw end.error;
      return EXIT.success;
    } finally {
      await server.close();
    }
  } finally {
    await session.close();
  }
}

/** Calls `listener` when whoever started us closes our standard input, or is gone. */
function onInputEnd(listener: () => void): () => void {
  const { stdin } = process;
  stdin.once("end", listener).once("error", listener).once("close", listener);
  stdin.resume();
  return () => {
    stdin.off("end", listener).off("error", listener).off("close", listener);
    stdin.destroy();
  };
}

function readLabels(labels: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    labels.map((label) => {
      const colon = label.indexOf(":");
      return colon < 0 ? [label, ""] : [label.slice(0, colon), label.slice(colon + 1)];
    }),
  );
}

/** SDKs that run from their sources say this (`0.0.0` in their manifests): no version. */
const UNRELEASED = /^v?0\.0\.0(?!\d)/;

/** What the SDK says about itself; nothing when that is no version, so that the engine's own is stated. */
function clientVersion(flag: string | undefined, labels: Readonly<Record<string, string>>): string | undefined {
  const text = flag || labels["dagger.io/sdk.version"];
  if (!text || UNRELEASED.test(text) || parseEngineVersion(text) === undefined) return undefined;
  return text.startsWith("v") ? text : `v${text}`;
}
