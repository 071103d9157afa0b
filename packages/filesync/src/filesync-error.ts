const BRAND = Symbol.for("anyrunner.FilesyncError");

/**
 * Why a transfer failed: `malformed` bytes that are no message; `protocol` a message in the wrong place; `unsafe` a
 * path that would leave the destination; `peer` the other side reported a failure; `unsupported` something that can't
 * be represented here; `invalid` a bad pattern or option.
 */
export type FilesyncErrorReason = "malformed" | "protocol" | "unsafe" | "peer" | "unsupported" | "invalid";

/** A failed file transfer. Test with `FilesyncError.is`: two copies of this package recognise each other's errors. */
export class FilesyncError extends Error {
  readonly reason: FilesyncErrorReason;

  constructor(reason: FilesyncErrorReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    Object.defineProperty(this, BRAND, { value: true });
  }

  static is(value: unknown): value is FilesyncError {
    return typeof value === "object" && value !== null && (value as { [BRAND]?: unknown })[BRAND] === true;
  }
}

Object.defineProperty(FilesyncError.prototype, "name", { value: "FilesyncError", configurable: true });
