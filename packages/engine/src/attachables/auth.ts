import { Auth, unaryHandler, type GrpcRoutes } from "@anyrunner/protocol";
import type { AttachableSettings } from "./attachable-settings.ts";

/**
 * Registry credentials (engine protocol 5.7). An empty answer means "go anonymously". The token methods are not
 * served: engines before 0.21 try them first and fall back to `Credentials` on UNIMPLEMENTED.
 */
export function authRoutes(settings: AttachableSettings): GrpcRoutes {
  return {
    [Auth.credentials.path]: unaryHandler(Auth.credentials, async (request, call) => {
      const found = await settings.credentials?.(request.host, { signal: call.signal });
      if (found !== undefined) settings.onSecret?.(found.secret);
      return found === undefined ? {} : { username: found.username, secret: found.secret };
    }),
  };
}
