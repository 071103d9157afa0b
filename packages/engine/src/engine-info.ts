import { checkEngine, RunnerError, type CallOptions } from "@anyrunner/core";
import { callUnary, Control, GrpcError, GrpcStatus, type Http2Connection } from "@anyrunner/protocol";

/** What an engine says about itself (Control/Info, engine protocol 3.2). */
export interface EngineInfo {
  readonly package: string;
  /** `vX.Y.Z[-pre][+commit]`. */
  readonly version: string;
  /** The engine's own name: two engines behind one address differ in it. */
  readonly name: string;
  /** 0 for engines before 0.19.10, which don't say. */
  readonly cpus: number;
}

export interface ReadEngineInfoOptions extends CallOptions {
  /** For messages: which runner. */
  readonly runner: string;
}

/**
 * Asks the engine who it is, and checks that it is an engine of a version that we speak.
 * Fails with WRONG_SERVER, VERSION_MISMATCH, or a retryable CONNECTION_LOST while the engine is still starting.
 */
export async function readEngineInfo(connection: Http2Connection, options: ReadEngineInfoOptions): Promise<EngineInfo> {
  const info = await askInfo(connection, options);
  checkEngine(info, { runner: options.runner });
  return info;
}

async function askInfo(connection: Http2Connection, options: ReadEngineInfoOptions): Promise<EngineInfo> {
  try {
    const { buildkitVersion, systemInfo } = await callUnary(connection, Control.info, {}, { signal: options.signal });
    return {
      package: buildkitVersion?.package ?? "",
      version: buildkitVersion?.version ?? "",
      name: buildkitVersion?.revision ?? "",
      cpus: systemInfo?.numCpu ?? 0,
    };
  } catch (error) {
    if (!GrpcError.is(error)) throw error;
    // The engine gave no status; the stream broke.
    if (RunnerError.is(error.cause)) throw error.cause;
    if (error.status === GrpcStatus.UNAVAILABLE) {
      throw new RunnerError("CONNECTION_LOST", `the engine behind ${options.runner} is not ready: ${error.message}`, { cause: error, retryable: true });
    }
    throw new RunnerError("WRONG_SERVER", `${options.runner} answers, but not as a Dagger engine: ${error.message}`, {
      cause: error,
      hint: "point the URL at a Dagger engine",
    });
  }
}

/** For a session whose connections reached different engines; `seen` says what gave it away. */
export function engineChanged(runner: string, seen: string, cause?: unknown): RunnerError {
  return new RunnerError("ENGINE_CHANGED", `connections to ${runner} reach different engines: ${seen}`, {
    cause,
    hint: "address one engine directly, or switch on client affinity where the address is balanced",
  });
}
