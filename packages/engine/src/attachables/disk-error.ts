import { GrpcError, GrpcStatus } from "@anyrunner/protocol";
import { systemErrorText } from "./system-error-text.ts";

/**
 * A failed file operation as the engine knows it from the official client: `lstat /x: no such file or directory`,
 * behind what was being done. A path that isn't there is NOT_FOUND, which engines rely on; anything else UNKNOWN.
 */
export function diskError(doing: string, operation: string, path: string, error: unknown): GrpcError {
  return new GrpcError(isMissing(error) ? GrpcStatus.NOT_FOUND : GrpcStatus.UNKNOWN, `${doing}: ${operation} ${path}: ${systemErrorText(error)}`, {
    cause: error,
  });
}

/** `mkdir /x: file exists`, where Node says `EEXIST: file already exists, mkdir '/x'`. What isn't of the file system keeps its message. */
export function diskErrorText(error: unknown): string {
  const { syscall, path } = error as { readonly syscall?: unknown; readonly path?: unknown };
  if (typeof syscall === "string" && typeof path === "string") return `${syscall} ${path}: ${systemErrorText(error)}`;
  return error instanceof Error ? error.message : String(error);
}

/** Whether the path, or a directory on the way to it, isn't there. */
export function isMissing(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "ENOENT" || code === "ENOTDIR";
}
