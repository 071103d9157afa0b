import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/control_pb.ts");

/** The engine's control service; a call of `info` that succeeds means the engine is ready. */
export const Control = {
  info: protobufMethod("/moby.buildkit.v1.Control/Info", async () => (await generated()).Control.method.info),
  listWorkers: protobufMethod("/moby.buildkit.v1.Control/ListWorkers", async () => (await generated()).Control.method.listWorkers),
} as const;
