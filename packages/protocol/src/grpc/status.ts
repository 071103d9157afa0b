/** Status codes of gRPC. */
export const GrpcStatus = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type GrpcStatus = (typeof GrpcStatus)[keyof typeof GrpcStatus];

export type GrpcStatusName = keyof typeof GrpcStatus;

const NAMES = new Map<number, GrpcStatusName>(Object.entries(GrpcStatus).map(([name, status]) => [status, name as GrpcStatusName]));

const BRAND = Symbol.for("anyrunner.GrpcError");

/**
 * A call that ended with another status than OK. Thrown by a handler it becomes the status of its answer.
 * Test with `GrpcError.is`, never with `instanceof`: two copies of this package recognise each other's errors.
 */
export class GrpcError extends Error {
  readonly status: GrpcStatus;

  constructor(status: GrpcStatus, message: string, options: { readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = status;
    Object.defineProperty(this, BRAND, { value: true });
  }

  get statusName(): GrpcStatusName {
    return NAMES.get(this.status) ?? "UNKNOWN";
  }

  static is(value: unknown, status?: GrpcStatus): value is GrpcError {
    if (typeof value !== "object" || value === null || (value as { [BRAND]?: unknown })[BRAND] !== true) return false;
    return status === undefined || (value as GrpcError).status === status;
  }
}

Object.defineProperty(GrpcError.prototype, "name", { value: "GrpcError", configurable: true });

/** The status of a `grpc-status` header; what is no known number is UNKNOWN. */
export function parseGrpcStatus(text: string): GrpcStatus {
  const status = /^\d{1,2}$/.test(text) ? Number(text) : NaN;
  return NAMES.has(status) ? (status as GrpcStatus) : GrpcStatus.UNKNOWN;
}
