import { protobufMethod, type GrpcMethod } from "../grpc/method.ts";
import type { infoCodec } from "./info-codec.ts";

const generated = () => import("../gen/control_pb.ts");

const info: GrpcMethod<typeof infoCodec> = {
  path: "/moby.buildkit.v1.Control/Info",
  codec: async () => (await import("./info-codec.ts")).infoCodec,
};

/** The engine's control service; a call of `info` that succeeds means the engine is ready. */
export const Control = {
  info,
  listWorkers: protobufMethod("/moby.buildkit.v1.Control/ListWorkers", async () => (await generated()).Control.method.listWorkers),
} as const;
