import { getSystemErrorMap } from "node:util";
import { GrpcError, GrpcStatus } from "@anyrunner/protocol";

/**
 * A failed file operation as the engine knows it from the official client: `lstat /x: no such file or directory`,
 * behind what was being done. A path that isn't there is NOT_FOUND, which engines rely on; anything else UNKNOWN.
 */
export function diskError(doing: string, operation: string, path: string, error: unknown): GrpcError {
  return new GrpcError(isMissing(error) ? GrpcStatus.NOT_FOUND : GrpcStatus.UNKNOWN, `${doing}: ${describe(operation, path, error)}`, { cause: error });
}

/** Whether the path, or a directory on the way to it, isn't there. */
export function isMissing(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "ENOENT" || code === "ENOTDIR";
}

function describe(operation: string, path: string, error: unknown): string {
  const { errno, message } = error as { errno?: unknown; message?: unknown };
  const text = typeof errno === "number" ? getSystemErrorMap().get(errno)?.[1] : undefined;
  return `${operation} ${path}: ${text ?? String(message ?? error)}`;
}
