import { compareEngineVersions, minimumClientVersion, RunnerError, throwIfAborted, withinBudget, type Runner, type RunnerConnection } from "@anyrunner/core";
import { clientMetadataHeader, requestUpgrade, serveGrpc, UpgradeRefusedError, type ClientMetadata } from "@anyrunner/protocol";

import { createAttachables } from "./attachables/index.ts";
import { connectionLost } from "./connection-lost.ts";
import type { EngineInfo } from "./engine-info.ts";
import type { OpenSessionOptions } from "./open-session-options.ts";
import { formatTraceparent, type TraceContext } from "./trace-context.ts";

/** The stream on which the engine calls us: files, secrets, credentials. */
export interface ClientAttachment {
  readonly connection: RunnerConnection;
  /** Resolves when the stream is gone; never rejects. */
  readonly closed: Promise<Error | undefined>;
  close(): Promise<void>;
}

export interface AttachClientOptions extends OpenSessionOptions {
  readonly engine: EngineInfo;
  readonly metadata: ClientMetadata;
  readonly trace: TraceContext;
}

/** Engines from this version on want ignored files marked; older ones want them left out (engine protocol 5.3). */
const GITIGNORE_MARKS_SINCE = "v0.19.11";
const UPGRADE_BUDGET_MS = 30_000;
/** How long calls that the engine has made may take to notice that it is gone. */
const CLOSE_BUDGET_MS = 2000;

/**
 * Connects the session attachables (engine protocol 4.6): upgrade a fresh stream, then serve gRPC on it.
 * Fails with VERSION_MISMATCH, AUTH_FAILED, WRONG_SERVER or CONNECTION_LOST.
 */
export async function attachClient(runner: Runner, connection: RunnerConnection, options: AttachClientOptions): Promise<ClientAttachment> {
  const attachables = createAttachables({
    env: options.env,
    cwd: options.cwd,
    gitignore: compareEngineVersions(options.engine.version, GITIGNORE_MARKS_SINCE) >= 0 ? "mark" : "filter",
    ...options.attachables,
  });
  try {
    await requestUpgrade(connection.stream, {
      path: "/sessionAttachables",
      headers: [
        ["Traceparent", formatTraceparent(options.trace)],
        ["X-Dagger-Client-Metadata", clientMetadataHeader(options.metadata)],
        ...attachables.methods.map((method) => ["X-Docker-Expose-Session-Grpc-Method", method] as const),
      ],
      timeoutMs: UPGRADE_BUDGET_MS,
      signal: options.signal,
    });
  } catch (error) {
    const failure = await explain(runner, connection, error, options);
    connection.stream.destroy();
    await attachables.close();
    throw failure;
  }
  const server = serveGrpc(connection.stream, attachables.routes);
  return {
    connection,
    closed: server.closed,
    async close() {
      server.destroy();
      connection.stream.destroy();
      await withinBudget(CLOSE_BUDGET_MS, attachables.close());
    },
  };
}

async function explain(runner: Runner, connection: RunnerConnection, error: unknown, options: AttachClientOptions): Promise<RunnerError> {
  throwIfAborted(options.signal);
  if (UpgradeRefusedError.is(error)) return refused(runner, error, options);
  if (RunnerError.is(error) && error.code !== "CONNECTION_LOST") return error;
  return connectionLost({ runner: runner.url, connection, error, doing: "while the session was opened" });
}

function refused(runner: Runner, error: UpgradeRefusedError, options: AttachClientOptions): RunnerError {
  const said = error.body.trim();
  if (said.includes("incompatible client version")) return incompatibleClient(runner.url, options.engine, options.metadata.clientVersion ?? "", error);
  if (said.includes("different secret token")) {
    return new RunnerError("AUTH_FAILED", `${runner.url} refused the client's token: ${said}`, {
      cause: error,
      hint: "don't reuse a client id with another token",
    });
  }
  return new RunnerError("WRONG_SERVER", `${runner.url} refused the session with status ${error.status}: ${said}`, {
    cause: error,
    hint: "look at the engine's log",
  });
}

export function incompatibleClient(runner: string, engine: EngineInfo, clientVersion: string, cause: unknown): RunnerError {
  const minimum = minimumClientVersion(engine.version);
  const window = minimum === undefined ? "" : `; it accepts clients from ${minimum} on`;
  return new RunnerError("VERSION_MISMATCH", `the engine ${engine.version} behind ${runner} refuses the client version ${clientVersion}${window}`, {
    cause,
    hint: "use the SDK or CLI version that belongs to the engine, or an engine of the client's version",
    details: { engineVersion: engine.version, clientVersion, ...(minimum === undefined ? {} : { minimumClientVersion: minimum }) },
  });
}
