import type { GrpcCall, GrpcHandler, GrpcRoutes } from "@anyrunner/protocol";
import type { AttachableSettings } from "./attachable-settings.ts";
import { authRoutes } from "./auth.ts";
import { fileSendRoutes } from "./file-send.ts";
import { fileSyncRoutes } from "./file-sync.ts";
import { gitRoutes } from "./git.ts";
import { healthRoutes } from "./health.ts";
import { imageStoreRoutes } from "./image-store.ts";
import { pipeRoutes } from "./pipe.ts";
import { promptRoutes } from "./prompt.ts";
import { secretsRoutes } from "./secrets.ts";
import { socketRoutes } from "./sockets.ts";
import { terminalRoutes } from "./terminal.ts";
import { tunnelRoutes } from "./tunnel.ts";

export type { AttachableSettings } from "./attachable-settings.ts";

/** The services that a client offers to its engine (engine protocol 5). */
export interface Attachables {
  readonly routes: GrpcRoutes;
  /** Paths of all methods, as the upgrade request lists them. */
  readonly methods: readonly string[];
  /** Resolves when no call is running any more; the connection must be gone before, which cancels them. */
  close(): Promise<void>;
}

/** Services of engines of both eras: those up to 0.18 use names without a package for some of them. */
export function createAttachables(settings: AttachableSettings): Attachables {
  const running = new Set<Promise<void>>();
  const track =
    (handler: GrpcHandler): GrpcHandler =>
    (call: GrpcCall) => {
      const run = handler(call);
      const settled = run.then(
        () => {},
        () => {},
      );
      running.add(settled);
      void settled.then(() => running.delete(settled));
      return run;
    };
  const routes = {
    ...healthRoutes(),
    ...fileSyncRoutes(settings),
    ...fileSendRoutes(settings),
    ...secretsRoutes(settings),
    ...authRoutes(settings),
    ...gitRoutes(settings),
    ...socketRoutes(),
    ...tunnelRoutes(),
    ...terminalRoutes(settings),
    ...promptRoutes(settings),
    ...pipeRoutes(settings),
    ...imageStoreRoutes(settings),
  };
  return {
    routes: Object.fromEntries(Object.entries(routes).map(([path, handler]) => [path, track(handler)])),
    methods: Object.keys(routes),
    close: async () => {
      await Promise.all(running);
    },
  };
}
