import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/secrets_pb.ts");

/** Secrets of the client by URI. */
export const Secrets = {
  getSecret: protobufMethod("/moby.buildkit.secrets.v1.Secrets/GetSecret", async () => (await generated()).Secrets.method.getSecret),
} as const;
