import { findEngineVersion, openHandleStore, stableClientId } from "@anyrunner/config";
import { formatProvenance, openRunner, throwIfAborted, type ChosenRunner, type OpenRunnerOptions, type Runner } from "@anyrunner/core";
import type { EngineSession, OpenSessionOptions } from "@anyrunner/engine";

import { cliAttachables } from "./cli-attachables.ts";
import type { CliRunner } from "./choose-cli-runner.ts";
import type { CommandContext } from "./command-context.ts";
import { withRemedies } from "./default-engine.ts";
import { createHeldLines } from "./held-lines.ts";
import { warnIgnoredVariables } from "./ignored-variables.ts";
import { parseDuration } from "./parse-duration.ts";
import { showTelemetry } from "./show-telemetry.ts";

export interface OpenCliSessionOptions {
  readonly chosen: ChosenRunner & { readonly kind: "url" };
  readonly config: CliRunner["config"];
  readonly store: CliRunner["store"];
  readonly labels?: Readonly<Record<string, string>> | undefined;
  readonly clientVersion?: string | undefined;
  /** Further fields of the client metadata. */
  readonly metadata?: OpenSessionOptions["metadata"];
  readonly signal: AbortSignal;
}

/** Opens a session on the chosen runner and says, as the first line on standard error, which one that is and why. */
export async function openCliSession(context: CommandContext, options: OpenCliSessionOptions): Promise<EngineSession> {
  const { env, cwd, report } = context;
  const { chosen, config, store, signal } = options;
  const lines = createHeldLines(context.note);
  // Loaded while the driver looks for the runner.
  const engine = import("@anyrunner/engine");
  const clientVersion = options.clientVersion ?? projectVersion(context);
  const [{ createDefaultRegistry }, stableId] = await Promise.all([import("@anyrunner/drivers"), stableClientId({ env, report })]);
  throwIfAborted(signal);
  const registry = createDefaultRegistry({ cwd, env, config, store, report });
  const ready: OpenRunnerOptions["ready"] = async (handle, call) => (await engine).createReadiness({ registry })(handle, call);
  const opened = await openRunner(chosen.url, { registry, signal, report, ready }).catch((error: unknown) => {
    throw chosen.from.kind === "default" ? withRemedies(error) : error;
  });
  const remembered = remember(context, opened);
  const { openSession } = await engine;
  const session = await openSession(opened, {
    env,
    cwd,
    stableId,
    labels: options.labels,
    clientVersion: await clientVersion,
    metadata: options.metadata,
    signal,
    report,
    attachables: cliAttachables(context, lines.hold),
    onTelemetry: showTelemetry({ progress: context.progress, write: lines.write }),
    shutdownBudgetMs: shutdownBudget(env),
  });
  await remembered;
  announce(context, { runner: session.runner.url, engine: session.engine.version, from: chosen.from });
  warnIgnoredVariables({ env, engine: session.engine.version, report });
  return session;
}

/** Notes the handle of a runner that other commands can look after, where the driver lets them. What can't be written is only forgotten. */
async function remember({ env }: CommandContext, { url, driver, handle }: Runner): Promise<void> {
  if (driver.capabilities.every((capability) => capability === "half-close" || capability === "provision")) return;
  await openHandleStore({ env })
    .remember({ url, handle })
    .catch(() => {});
}

/** The version that the project's SDK has, if its files say exactly one: it selects the API that the engine shows. */
async function projectVersion({ cwd, env }: CommandContext): Promise<string | undefined> {
  const { chosen } = await findEngineVersion({ cwd, env });
  return chosen?.exact ? chosen.version : undefined;
}

/** The same line when the session that surrounds us is joined; its engine was not asked. */
export function announceSession({ progress, note }: CommandContext, { port, from }: ChosenRunner & { readonly kind: "session" }): void {
  if (progress === "json") note(JSON.stringify({ type: "session", port, from }));
  else note(`session on 127.0.0.1:${port} · from ${formatProvenance(from)}`);
}

/** The first line on standard error: which runner, which engine, and who says so. */
function announce({ progress, note }: CommandContext, facts: { readonly runner: string; readonly engine: string; readonly from: ChosenRunner["from"] }): void {
  if (progress === "json") note(JSON.stringify({ type: "runner", ...facts }));
  else note(`runner ${facts.runner} · engine ${facts.engine} · from ${formatProvenance(facts.from)}`);
}

function shutdownBudget(env: CommandContext["env"]): number | undefined {
  const name = "_EXPERIMENTAL_DAGGER_SHUTDOWN_TIMEOUT";
  const text = env[name];
  return text ? parseDuration(text, name) : undefined;
}
