import { RunnerError, throwIfAborted, type Runner, type RunnerConnection } from "@anyrunner/core";
import type { ClientMetadata, Http2Response } from "@anyrunner/protocol";

import { attachClient, type ClientAttachment } from "./attach-client.ts";
import { createClientMetadata } from "./client-identity.ts";
import { connectionLost } from "./connection-lost.ts";
import type { ControlConnection } from "./control-connection.ts";
import { closeControl, dialSession } from "./dial-session.ts";
import type { EngineInfo } from "./engine-info.ts";
import { watchLiveness } from "./liveness.ts";
import type { OpenSessionOptions } from "./open-session-options.ts";
import { queryEngine, type GraphqlRequest, type GraphqlResponse } from "./query.ts";
import { retryTransient } from "./retry.ts";
import { createSessionRequests, type SessionRequest } from "./session-request.ts";
import { shutDownEngineSession } from "./shutdown.ts";
import { subscribeTelemetry } from "./telemetry/subscribe.ts";
import { createTraceContext, type TraceContext } from "./trace-context.ts";

/** One client's session on one engine. All its streams go to the engine that answered first. */
export interface EngineSession {
  readonly runner: Runner;
  readonly engine: EngineInfo;
  readonly trace: TraceContext;
  /** Sends any request to the engine's session API with the identity of this session. No time-outs of its own. */
  request(request: SessionRequest): Promise<Http2Response>;
  /** One GraphQL request. Errors of the pipeline are in the answer; everything else rejects. */
  query(request: GraphqlRequest): Promise<GraphqlResponse>;
  /** Resolves when the session is over: `closed` by us, or `lost` with the reason. Never rejects. */
  readonly ended: Promise<SessionEnd>;
  /** Ends the session within its budget: shutdown, rest of the telemetry, streams. Idempotent. */
  close(): Promise<void>;
}

/** How a session ended: by `close`, or because its engine or the way to it is gone. */
export type SessionEnd = { readonly kind: "closed" } | { readonly kind: "lost"; readonly error: RunnerError };

const CONNECT_BUDGET_MS = 60_000;
/** For a container that runs for longer than the budget above and in which nothing answers as an engine. */
const SETTLED_BUDGET_MS = 15_000;
const SHUTDOWN_BUDGET_MS = 10_000;

/**
 * Opens a session: control connection with version check, then the session attachables, then telemetry.
 *
 * Fails with the driver's codes, WRONG_SERVER, VERSION_MISMATCH, AUTH_FAILED, ENGINE_CHANGED, or TIMEOUT.
 */
export async function openSession(runner: Runner, options: OpenSessionOptions): Promise<EngineSession> {
  const trace = createTraceContext(options.env);
  const { control, attachables } = await retryTransient(() => dialSession(runner, options), {
    what: `connecting to ${runner.url}`,
    budgetMs: options.connectBudgetMs ?? CONNECT_BUDGET_MS,
    settledBudgetMs: SETTLED_BUDGET_MS,
    signal: options.signal,
    report: options.report,
    clock: options.clock,
  });
  let attachment: ClientAttachment | undefined;
  try {
    throwIfAborted(options.signal);
    const metadata = createClientMetadata({
      clientVersion: options.clientVersion ?? control.info.version.replace(/\+.*$/, ""),
      stableId: options.stableId,
      labels: options.labels,
      env: options.env,
      extra: options.metadata,
    });
    const attach = (connection: RunnerConnection) => attachClient(runner, connection, { ...options, engine: control.info, metadata, trace });
    attachment = await attach(attachables).catch(async (error: unknown) => {
      // The stream was dialled before the engine had answered on the other one, and may be a relay that found nobody then.
      if (!RunnerError.is(error) || error.code !== "CONNECTION_LOST") throw error;
      return attach(await runner.connect(options));
    });
    return await startSession({ runner, control, attachment, metadata, trace, options });
  } catch (error) {
    await attachment?.close();
    attachables.stream.destroy();
    closeControl(control);
    throw error;
  }
}

interface SessionParts {
  readonly runner: Runner;
  readonly control: ControlConnection;
  readonly attachment: ClientAttachment;
  readonly metadata: ClientMetadata;
  readonly trace: TraceContext;
  readonly options: OpenSessionOptions;
}

async function startSession(parts: SessionParts): Promise<EngineSession> {
  const { runner, control, attachment, options, trace } = parts;
  const ending = new AbortController();
  const request = createSessionRequests({ control, metadata: parts.metadata, trace, runner, ended: ending.signal });
  const telemetry = await subscribeTelemetry({
    request,
    listener: options.onTelemetry,
    batchListener: options.onTelemetryBatch,
    runner: runner.url,
    report: options.report,
  });

  let closing: Promise<void> | undefined;
  let settle: (end: SessionEnd) => void = () => {};
  const ended = new Promise<SessionEnd>((resolve) => (settle = resolve));

  const lose = async (
    error: unknown,
    { connection = control.connection, silence }: { readonly connection?: RunnerConnection; readonly silence?: RunnerError } = {},
  ) => {
    if (closing !== undefined || ending.signal.aborted) return;
    const lost =
      RunnerError.is(error) && error.code !== "CONNECTION_LOST"
        ? error
        : await connectionLost({ runner: runner.url, connection, error, silence, doing: "while the session was open" });
    if (closing !== undefined || ending.signal.aborted) return;
    ending.abort(lost);
    telemetry.stop();
    closeControl(control);
    await attachment.close();
    settle({ kind: "lost", error: lost });
  };
  const stopWatching = watchLiveness({ http2: control.http2, onDead: (silence) => void lose(silence, { silence }) });
  void control.http2.closed.then((error) => lose(error));
  void attachment.closed.then((error) => lose(error, attachment));

  const close = async () => {
    stopWatching();
    if (!ending.signal.aborted) {
      await shutDownEngineSession({ request, telemetry, budgetMs: options.shutdownBudgetMs ?? SHUTDOWN_BUDGET_MS, report: options.report });
      ending.abort(new RunnerError("ABORTED", "the session was closed"));
    }
    telemetry.stop();
    await attachment.close();
    await control.http2.close();
    control.connection.stream.destroy();
    settle({ kind: "closed" });
  };

  return {
    runner,
    engine: control.info,
    trace,
    request,
    query: (graphql) => queryEngine(request, graphql, runner.url),
    ended,
    close: () => (closing ??= close()),
  };
}
