import { resolve } from "node:path";

import { RunnerError, type CallOptions, type ChosenRunner, type Provenance, type Registry } from "@anyrunner/core";
import type { EngineSession, GraphqlRequest, GraphqlResponse, OpenSessionOptions, SessionEnd, SessionServer } from "@anyrunner/engine";

import { chooseClientRunner } from "./choose-client-runner.ts";
import { openClientSession } from "./open-client-session.ts";
import { sessionEnvironment, type SessionEnvironment } from "./session-environment.ts";
import { querySurroundingSession } from "./surrounding-session.ts";
import type { Surroundings } from "./surroundings.ts";

type SessionSettings = Pick<OpenSessionOptions, "attachables" | "clientVersion" | "connectBudgetMs" | "labels" | "onTelemetry" | "shutdownBudgetMs">;

/** All optional: without any, `connect` does what the command would do here. `signal` cancels the connecting, not the session. */
export interface ConnectOptions extends CallOptions, SessionSettings {
  /** URL of the runner, or the name that the user gave one. Default: the runner that the command `anyrunner` would choose here. */
  readonly runner?: string | undefined;
  /** Where the project's files and relative host paths start. Default: the directory of the process. */
  readonly cwd?: string | undefined;
  /** What names the runner and what the session's engine may read. Default: the environment of the process, which drivers use in any case. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** The drivers to choose from. Default: the built-in ones and those of the project. */
  readonly registry?: Registry | undefined;
}

/** A session on an engine: one that was opened here, or the one that surrounds this process. */
export interface Session extends AsyncDisposable {
  /** The runner's URL, its secrets hidden. Absent for a session that was joined. */
  readonly runner?: string | undefined;
  /** As the engine states it. Absent for a session that was joined: its engine was not asked. */
  readonly engineVersion?: string | undefined;
  /** Who named the runner. */
  readonly from: Provenance;
  /** One GraphQL request. Errors of the pipeline are in the answer; everything else rejects. No time limit. */
  query(request: GraphqlRequest): Promise<GraphqlResponse>;
  /**
   * The variables that make an official SDK or the official CLI in a child process use this session. The first call opens the
   * loopback port behind them, which closes with the session; afterwards it fails with ABORTED.
   */
  environment(): Promise<SessionEnvironment>;
  /** Resolves when the session is over: `closed` by us, or `lost` with the reason. Never rejects. */
  readonly ended: Promise<SessionEnd>;
  /** Ends a session that was opened here, within its budget; only leaves one that was joined. Idempotent. */
  close(): Promise<void>;
}

/**
 * Gives a session on the runner that `runner` names, else on the one that the command would choose here: the session that
 * surrounds this process is joined, everything else is opened.
 *
 * Fails with NO_RUNNER, INVALID_URL, INVALID_CONFIG, UNKNOWN_SCHEME, the driver's codes, VERSION_MISMATCH, WRONG_SERVER, TIMEOUT or ABORTED.
 */
export async function connect(options: ConnectOptions = {}): Promise<Session> {
  const surroundings: Surroundings = {
    env: options.env ?? process.env,
    cwd: resolve(options.cwd ?? "."),
    report: options.report ?? (() => {}),
  };
  const runner = await chooseClientRunner(surroundings, { ...options, runnerFrom: { kind: "option", name: "runner" } });
  const { chosen } = runner;
  if (chosen.kind === "session") return joinedSession(chosen);
  return openedSession(await openClientSession(surroundings, { ...options, runner: { ...runner, chosen } }), chosen.from);
}

function openedSession(session: EngineSession, from: Provenance): Session {
  let port: Promise<SessionServer> | undefined;
  let closing: Promise<void> | undefined;
  const servePort = async () => (await import("@anyrunner/engine")).serveSession(session);
  const openPort = () => {
    // Nobody would close it any more.
    if (closing !== undefined) throw new RunnerError("ABORTED", "the session was closed", { hint: "connect again" });
    return (port ??= servePort());
  };
  const end = async () => {
    await (await port?.catch(() => undefined))?.close();
    await session.close();
  };
  const close = () => (closing ??= end());
  return {
    runner: session.runner.url,
    engineVersion: session.engine.version,
    from,
    query: session.query,
    environment: async () => sessionEnvironment(await openPort(), session.trace),
    ended: session.ended,
    close,
    [Symbol.asyncDispose]: close,
  };
}

function joinedSession(chosen: ChosenRunner & { readonly kind: "session" }): Session {
  let settle: (end: SessionEnd) => void = () => {};
  const ended = new Promise<SessionEnd>((resolveEnd) => (settle = resolveEnd));
  const close = async () => settle({ kind: "closed" });
  return {
    from: chosen.from,
    query: (request) => querySurroundingSession(chosen, request),
    environment: async () => sessionEnvironment(chosen),
    ended,
    close,
    [Symbol.asyncDispose]: close,
  };
}
