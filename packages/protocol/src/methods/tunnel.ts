import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/tunnel_pb.ts");

/** Ports that the client opens for the engine. */
export const TunnelListener = {
  listen: protobufMethod("/dagger.h2c.TunnelListener/Listen", async () => (await generated()).TunnelListener.method.listen),
} as const;
