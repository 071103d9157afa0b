import { RunnerError, type JsonObject } from "@anyrunner/core/driver";
import { GrpcError, GrpcStatus } from "@anyrunner/protocol";

import { ExecError } from "../plan/exec-error.ts";

/** An argument that can't be used: told with the query's text and without a path, as the engine does. */
export class BadArgument extends Error {}

/** A field or argument that the embedded runner doesn't have; named, so that the user knows what to leave out. */
export class Unsupported extends Error {
  readonly what: string;

  constructor(what: string) {
    super(`embedded runner doesn't support ${what}`);
    this.what = what;
  }
}

/** The text of an error of the API. */
export function errorMessage(error: unknown): string {
  if (GrpcError.is(error)) return `rpc error: code = ${goStatusName(error.status)} desc = ${error.message}`;
  return error instanceof Error ? error.message : String(error);
}

/** The `extensions` of an error of the API. */
export function errorExtensions(error: unknown): JsonObject | undefined {
  if (error instanceof ExecError) {
    return { _type: "EXEC_ERROR", cmd: error.cmd, exitCode: error.exitCode, stderr: error.stderr, stdout: error.stdout };
  }
  if (error instanceof Unsupported) {
    return { _type: "UNSUPPORTED", field: error.what, hint: "use a Dagger engine for it, or leave it out" };
  }
  if (RunnerError.is(error)) return { _type: error.code, ...(error.hint === undefined ? {} : { hint: error.hint }) };
  return undefined;
}

/** `NotFound`, `Unknown`: how Go's gRPC spells a status. */
function goStatusName(status: number): string {
  const name = Object.entries(GrpcStatus).find(([, value]) => value === status)?.[0] ?? `Code(${status})`;
  return name
    .toLowerCase()
    .split("_")
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join("");
}
