import type { GrpcCall, GrpcRoutes } from "@anyrunner/protocol";

/** `HealthCheckResponse { status: SERVING }`. */
const SERVING = Uint8Array.of(0x08, 0x01);
/** `HealthListResponse { statuses: { "": SERVING } }`. */
const LIST = Uint8Array.of(0x0a, 0x06, 0x0a, 0x00, 0x12, 0x02, 0x08, 0x01);

/**
 * The engine checks every five seconds; two failures end the session. The answers are constant, so that nothing has
 * to be decoded or loaded for them.
 */
export function healthRoutes(): GrpcRoutes {
  return {
    "/grpc.health.v1.Health/Check": (call) => call.send(SERVING),
    "/grpc.health.v1.Health/List": (call) => call.send(LIST),
    "/grpc.health.v1.Health/Watch": watch,
  };
}

/** Says it once, since it never changes, and stays until the caller has seen enough. */
async function watch(call: GrpcCall): Promise<void> {
  await call.send(SERVING);
  if (call.signal.aborted) return;
  await new Promise<void>((resolve) => {
    call.signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
