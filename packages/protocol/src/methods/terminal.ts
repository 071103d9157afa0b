import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/terminal_pb.ts");

/** The terminal of the client. */
export const Terminal = {
  session: protobufMethod("/dagger.terminal.Terminal/Session", async () => (await generated()).Terminal.method.session),
} as const;
