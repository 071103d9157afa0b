import { openClientSession, type ClientRunner } from "@anyrunner/client";
import { formatProvenance, parseRunnerUrl, type ChosenRunner } from "@anyrunner/core";
import type { EngineSession, OpenSessionOptions, TelemetryBatchListener } from "@anyrunner/engine";

import { cliAttachables } from "./cli-attachables.ts";
import type { CommandContext } from "./command-context.ts";
import { createHeldLines } from "./held-lines.ts";
import { parseDuration } from "./parse-duration.ts";
import { startReaperFor } from "./reaper/start-reaper.ts";
import { openCliTelemetry, type CliTelemetry } from "./progress/open-cli-telemetry.ts";

export interface OpenCliSessionOptions extends Pick<OpenSessionOptions, "clientVersion" | "labels" | "metadata"> {
  readonly runner: ClientRunner & { readonly chosen: ChosenRunner & { readonly kind: "url" } };
  /** Of the span in which everything happens. */
  readonly name: string;
  readonly signal: AbortSignal;
}

export interface CliSession extends EngineSession {
  /** Takes the telemetry of a child; absent when nobody wants any. */
  readonly onChildTelemetry: TelemetryBatchListener | undefined;
  /** What becomes of the session's telemetry. */
  readonly telemetry: Pick<CliTelemetry, "hide" | "hold" | "isDrawn">;
}

/** Opens a session on the chosen runner and says, as the first line on standard error, which one that is and why. */
export async function openCliSession(context: CommandContext, options: OpenCliSessionOptions): Promise<CliSession> {
  const lines = createHeldLines(context.note);
  const telemetry = await openCliTelemetry(context, { name: options.name, write: lines.write });
  let session: EngineSession | undefined;
  let closing: Promise<void> | undefined;
  const end = async () => {
    try {
      await session?.close();
    } finally {
      await telemetry.close();
    }
  };
  const close = () => (closing ??= end());
  try {
    session = await openClientSession(context, {
      ...options,
      attachables: {
        ...cliAttachables(context, {
          scheme: parseRunnerUrl(options.runner.chosen.url).scheme,
          onBorrow: () => {
            const releases = [lines.hold(), telemetry.hold()];
            return () => releases.forEach((release) => release());
          },
        }),
        onSecret: telemetry.hide,
      },
      onTelemetryBatch: telemetry.onBatch,
      shutdownBudgetMs: shutdownBudget(context.env),
    });
    announce(context, { ...shownRunner(session.runner), engine: session.engine.version, from: options.runner.chosen.from });
    telemetry.begin(session.trace);
    await startReaperFor(context, session.runner.handle);
  } catch (error) {
    await close();
    throw error;
  }
  return { ...session, onChildTelemetry: telemetry.onBatch, telemetry, close };
}

/** The same line when the session that surrounds us is joined; its engine was not asked. */
export function announceSession({ progress, note }: CommandContext, { port, from }: ChosenRunner & { readonly kind: "session" }): void {
  if (progress === "json") note(JSON.stringify({ type: "session", port, from }));
  else note(`session on 127.0.0.1:${port} · from ${formatProvenance(from)}`);
}

/** With the driver where another one was asked before: `image://…` may mean Podman where Docker is down. */
function shownRunner({ url, driver, losers }: EngineSession["runner"]): Pick<Announced, "runner" | "driver"> {
  return { runner: url, ...(losers.length > 0 && { driver: driver.name }) };
}

interface Announced {
  readonly runner: string;
  readonly driver?: string | undefined;
  readonly engine: string;
  readonly from: ChosenRunner["from"];
}

/** The first line on standard error: which runner, which engine, and who says so. */
function announce({ progress, note }: CommandContext, facts: Announced): void {
  if (progress === "json") note(JSON.stringify({ type: "runner", ...facts }));
  else note(`runner ${facts.runner}${facts.driver === undefined ? "" : ` on ${facts.driver}`} · engine ${facts.engine} · from ${formatProvenance(facts.from)}`);
}

function shutdownBudget(env: CommandContext["env"]): number | undefined {
  const name = "_EXPERIMENTAL_DAGGER_SHUTDOWN_TIMEOUT";
  const text = env[name];
  return text ? parseDuration(text, name) : undefined;
}
