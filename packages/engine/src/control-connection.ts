import { inTime, RunnerError, throwIfAborted, type CallOptions, type Runner, type RunnerConnection } from "@anyrunner/core";
import { GrpcError, openHttp2Connection, type Http2Connection } from "@anyrunner/protocol";

import { connectionLost } from "./connection-lost.ts";
import { readEngineInfo, type EngineInfo } from "./engine-info.ts";

/** A connection on which the engine has said who it is; carries gRPC, queries and telemetry. */
export interface ControlConnection {
  readonly connection: RunnerConnection;
  readonly http2: Http2Connection;
  readonly info: EngineInfo;
}

/** How long what took the connection may take to say which engine it is, in ms: a starting engine takes none, and one that swaps answers late. */
const INFO_BUDGET_MS = 30_000;

/**
 * One attempt: dial, then Info. Fails as the driver and `readEngineInfo` do; a stream that ends before the engine said a
 * word is a retryable CONNECTION_LOST, since that is how a relay looks whose engine is still starting. One on which nothing comes is a retryable TIMEOUT.
 */
export async function openControlConnection(runner: Runner, options: CallOptions): Promise<ControlConnection> {
  const connection = await runner.connect(options);
  try {
    throwIfAborted(options.signal);
    const http2 = openHttp2Connection(connection.stream);
    const budget = { budgetMs: INFO_BUDGET_MS, signal: options.signal, late: () => silent(runner) };
    const info = await inTime(budget, (signal) => readEngineInfo(http2, { ...options, signal, runner: runner.url }));
    return { connection, http2, info };
  } catch (error) {
    // The explanation may need the stream, and is itself cut short by an abort.
    try {
      throw await explain(runner, connection, error, options);
    } finally {
      connection.stream.destroy();
    }
  }
}

async function explain(runner: Runner, connection: RunnerConnection, error: unknown, options: CallOptions): Promise<RunnerError> {
  throwIfAborted(options.signal);
  if (RunnerError.is(error) && error.code === "WRONG_SERVER" && !error.message.includes(runner.url)) {
    return new RunnerError("WRONG_SERVER", `${runner.url} is no Dagger engine: ${error.message}`, {
      cause: error,
      hint: error.hint ?? "point the URL at a Dagger engine",
    });
  }
  // A status is the engine's own word; only a stream that broke without one is explained by what its driver knows.
  if (RunnerError.is(error) && (error.code !== "CONNECTION_LOST" || GrpcError.is(error.cause))) return error;
  return connectionLost({ runner: runner.url, connection, error, doing: "while the engine was asked who it is", starting: true });
}

function silent({ url }: Runner): RunnerError {
  return new RunnerError("TIMEOUT", `something took the connection to ${url}, but no engine answered within ${INFO_BUDGET_MS / 1000} s`, {
    retryable: true,
    hint: "see whether it is a Dagger engine that listens there, and whether it is overloaded",
  });
}
