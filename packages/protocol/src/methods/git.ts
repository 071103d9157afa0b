import { protobufMethod } from "../grpc/method.ts";

const generated = () => import("../gen/git_pb.ts");

/** Git credentials and configuration of the client. */
export const Git = {
  getCredential: protobufMethod("/dagger.git.Git/GetCredential", async () => (await generated()).Git.method.getCredential),
  getConfig: protobufMethod("/dagger.git.Git/GetConfig", async () => (await generated()).Git.method.getConfig),
} as const;

/** Values of `ErrorInfo.type`. */
export const GitErrorType = {
  UNKNOWN: 0,
  INVALID_REQUEST: 1,
  /** There is no git program. */
  NOT_FOUND: 2,
  TIMEOUT: 3,
  CREDENTIAL_RETRIEVAL_FAILED: 4,
  CONFIG_RETRIEVAL_FAILED: 5,
} as const;
