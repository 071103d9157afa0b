import type { Socket } from "node:net";

import { RunnerError } from "@anyrunner/core/driver";
import type { DockerEndpoint } from "@anyrunner/docker-endpoint";
import { openListener } from "@anyrunner/protocol";

import { createEmbeddedEngine } from "./engine.ts";
import type { Executor } from "./executor/executor.ts";

/** Where the runner listens, and on what it works. */
export interface ServeEmbeddedOptions {
  /** Where clients connect. A Unix socket is made for this user alone; a TCP port is plaintext and for trusted networks only. */
  readonly listen: { readonly path: string } | { readonly host: string; readonly port: number };
  /** The folder for contents and results. */
  readonly state: string;
  /** Docker or Podman; ignored when `executor` is given. */
  readonly endpoint?: DockerEndpoint | undefined;
  readonly executor?: Executor | undefined;
  readonly name?: string | undefined;
}

/** An embedded runner that other processes can reach. */
export interface EmbeddedServer {
  /** `unix:///path` or `tcp://host:port`, as clients name it. */
  readonly url: string;
  close(): Promise<void>;
}

/** The embedded runner as a daemon. Fails as `openListener` does, ALREADY_EXISTS when something listens there already, and with INVALID_OPTION without an endpoint. */
export async function serveEmbedded(options: ServeEmbeddedOptions): Promise<EmbeddedServer> {
  const engine = createEmbeddedEngine({ executor: await executorOf(options), state: options.state, name: options.name });
  const sockets = new Set<Socket>();
  const listener = await openListener({
    address: "path" in options.listen ? { kind: "unix", path: options.listen.path } : { kind: "tcp", ...options.listen },
    onStream(socket) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      engine.serve(socket);
    },
  }).catch(async (error: unknown) => {
    await engine.close();
    throw error;
  });
  return {
    url: listener.url,
    async close() {
      const stopped = listener.stop();
      await engine.close();
      for (const socket of sockets) socket.destroy();
      await stopped;
    },
  };
}

async function executorOf({ executor, endpoint }: ServeEmbeddedOptions): Promise<Executor> {
  if (executor !== undefined) return executor;
  if (endpoint === undefined) throw new RunnerError("INVALID_OPTION", "the embedded runner needs a container engine", { hint: "give an endpoint" });
  const { createDockerExecutor } = await import("./executor/docker-executor.ts");
  return createDockerExecutor({ endpoint });
}
