import { rm, chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";

import { RunnerError } from "@anyrunner/core";
import type { DockerEndpoint } from "@anyrunner/docker-endpoint";

import { createEmbeddedEngine } from "./engine.ts";
import type { Executor } from "./executor/executor.ts";

export interface ServeEmbeddedOptions {
  /** Where clients connect. A Unix socket is made for this user alone; a TCP port is plaintext and for trusted networks only. */
  readonly listen: { readonly path: string } | { readonly host: string; readonly port: number };
  readonly state: string;
  /** Docker or Podman; ignored when `executor` is given. */
  readonly endpoint?: DockerEndpoint | undefined;
  readonly executor?: Executor | undefined;
  readonly name?: string | undefined;
}

export interface EmbeddedServer {
  /** `unix:///path` or `tcp://host:port`, as clients name it. */
  readonly url: string;
  close(): Promise<void>;
}

/** The embedded runner as a daemon. Fails with ALREADY_EXISTS when something listens there already, INVALID_OPTION without an endpoint. */
export async function serveEmbedded(options: ServeEmbeddedOptions): Promise<EmbeddedServer> {
  const engine = createEmbeddedEngine({ executor: await executorOf(options), state: options.state, name: options.name });
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.once("close", () => sockets.delete(socket));
    engine.serve(socket);
  });
  await listen(server, options.listen);
  return {
    url: urlOf(server, options.listen),
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await engine.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

async function executorOf({ executor, endpoint }: ServeEmbeddedOptions): Promise<Executor> {
  if (executor !== undefined) return executor;
  if (endpoint === undefined) throw new RunnerError("INVALID_OPTION", "the embedded runner needs a container engine", { hint: "give an endpoint" });
  const { createDockerExecutor } = await import("./executor/docker-executor.ts");
  return createDockerExecutor({ endpoint });
}

async function listen(server: Server, where: ServeEmbeddedOptions["listen"], again = true): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen("path" in where ? { path: where.path } : where, () => {
        server.off("error", reject);
        resolve();
      });
    });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EADDRINUSE") throw RunnerError.from(error, code === "EACCES" ? "PERMISSION_DENIED" : "INTERNAL");
    // A socket that a killed daemon left behind is nobody's any more.
    if (!("path" in where) || !again || (await answers(where.path)))
      throw new RunnerError("ALREADY_EXISTS", `something listens on ${"path" in where ? where.path : `port ${where.port}`} already`, {
        hint: "choose another address, or stop it",
      });
    await rm(where.path, { force: true });
    return listen(server, where, false);
  }
  if ("path" in where) await chmod(where.path, 0o600);
}

async function answers(path: string): Promise<boolean> {
  const { connect } = await import("node:net");
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

function urlOf(server: Server, where: ServeEmbeddedOptions["listen"]): string {
  if ("path" in where) return `unix://${where.path}`;
  const address = server.address();
  return `tcp://${where.host}:${typeof address === "object" && address !== null ? address.port : where.port}`;
}
