import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/auth_pb.ts");

/** Registry credentials of the client. */
export const Auth = {
  credentials: protobufMethod("/moby.filesync.v1.Auth/Credentials", async () => (await generated()).Auth.method.credentials),
  fetchToken: protobufMethod("/moby.filesync.v1.Auth/FetchToken", async () => (await generated()).Auth.method.fetchToken),
  getTokenAuthority: protobufMethod("/moby.filesync.v1.Auth/GetTokenAuthority", async () => (await generated()).Auth.method.getTokenAuthority),
  verifyTokenAuthority: protobufMethod("/moby.filesync.v1.Auth/VerifyTokenAuthority", async () => (await generated()).Auth.method.verifyTokenAuthority),
} as const;
