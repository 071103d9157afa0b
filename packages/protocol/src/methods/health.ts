import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/health_pb.ts");

/** Mandatory: the engine checks it every 5 seconds, and two failures end the session. */
export const Health = {
  check: protobufMethod("/grpc.health.v1.Health/Check", async () => (await generated()).Health.method.check),
} as const;

/** Values of `HealthCheckResponse.status`. */
export const ServingStatus = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2, SERVICE_UNKNOWN: 3 } as const;
