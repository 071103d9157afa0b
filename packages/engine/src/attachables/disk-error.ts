import { systemErrorText } from "@anyrunner/filesync";
import { GrpcError, GrpcStatus } from "@anyrunner/protocol";

/**
 * A failed file operation as the engine knows it from the official client: `lstat /x: no such file or directory`,
 * behind what was being done. A path that isn't there is NOT_FOUND, which engines rely on; anything else UNKNOWN.
 */
export function diskError(doing: string, operation: string, path: string, error: unknown): GrpcError {
  return new GrpcError(isMissing(error) ? GrpcStatus.NOT_FOUND : GrpcStatus.UNKNOWN, `${doing}: ${operation} ${path}: ${systemErrorText(error)}`, {
    cause: error,
  });
}

/** Whether the path, or a directory on the way to it, isn't there. */
export function isMissing(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "ENOENT" || code === "ENOTDIR";
}
