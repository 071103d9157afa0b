import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/pipe_pb.ts");

/** Standard input and output of the client. */
export const Pipe = {
  io: protobufMethod("/dagger.pipe.Pipe/IO", async () => (await generated()).Pipe.method.iO),
} as const;
