import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/ssh_pb.ts");

/** Sockets of the client, the SSH agent's among them. */
export const Ssh = {
  checkAgent: protobufMethod("/moby.sshforward.v1.SSH/CheckAgent", async () => (await generated()).SSH.method.checkAgent),
  forwardAgent: protobufMethod("/moby.sshforward.v1.SSH/ForwardAgent", async () => (await generated()).SSH.method.forwardAgent),
} as const;
