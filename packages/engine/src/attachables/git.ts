import { Git, GitErrorType, unaryHandler, type GrpcRoutes } from "@anyrunner/protocol";

/**
 * Minimal answers that break nothing (engine protocol 5.10): no configuration, no credentials. The engine then goes on
 * anonymously. A gRPC error would be fatal to what asked, so the refusal is inside the answer.
 */
export function gitRoutes(): GrpcRoutes {
  const getCredential = unaryHandler(Git.getCredential, () => ({
    result: { case: "error" as const, value: { type: GitErrorType.NOT_FOUND, message: "git credentials of the host are not available here" } },
  }));
  const getConfig = unaryHandler(Git.getConfig, () => ({ result: { case: "config" as const, value: { entries: [] } } }));
  return {
    [Git.getCredential.path]: getCredential,
    [Git.getConfig.path]: getConfig,
    // Engines 0.17 and 0.18, and 0.14 to 0.16.
    "/Git/GetCredential": getCredential,
    "/Git/GetConfig": getConfig,
    "/GitCredential/GetCredential": getCredential,
  };
}
