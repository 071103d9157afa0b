import { lstat, readFile } from "node:fs/promises";
import { connect, type Socket } from "node:net";

import { abortedError, throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { parseDockerHost, type DockerClient } from "@anyrunner/docker-endpoint";

import { findContainer } from "./container.ts";

/** Where engines listen in their containers, newest first (engine protocol 3.1). */
const ENGINE_SOCKETS = ["/run/dagger/engine.sock", "/run/buildkit/buildkitd.sock"] as const;

/**
 * Dials the engine's own socket through the file system of its container, past exec and its relay: an exec costs more than all
 * the rest of a short session. Only root on the daemon's own machine can, so everywhere else, and whenever anything is in
 * doubt, the answer is `undefined` and the exec is taken.
 */
export async function dialEngineSocket(client: DockerClient, id: string, options: CallOptions): Promise<Socket | undefined> {
  if (process.platform !== "linux" || process.getuid?.() !== 0 || parseDockerHost(client.endpoint.host).kind !== "unix") return undefined;
  const container = await findContainer(client, id, options);
  const pid = container?.State.Pid ?? 0;
  if (container === undefined || pid <= 0 || !(await isProcessOf(pid, container.Id))) return undefined;
  for (const path of ENGINE_SOCKETS) {
    const inside = await socketInside(pid, path);
    throwIfAborted(options.signal);
    if (inside !== undefined) return dial(inside, options.signal);
  }
  return undefined;
}

/** The daemon counts processes in its own name space; only when its number means the same here does its control group name the container. */
async function isProcessOf(pid: number, container: string): Promise<boolean> {
  const groups = await readFile(`/proc/${pid}/cgroup`, "utf8").catch(() => "");
  return groups.includes(container);
}

/** The path by which `path` of the container can be dialled. No part may be a link: it would lead to our files, not to the container's. */
async function socketInside(pid: number, path: string): Promise<string | undefined> {
  let current = `/proc/${pid}/root`;
  const names = path.split("/").slice(1);
  for (const [index, name] of names.entries()) {
    current = `${current}/${name}`;
    const stats = await lstat(current).catch(() => undefined);
    if (stats === undefined || !(index === names.length - 1 ? stats.isSocket() : stats.isDirectory())) return undefined;
  }
  return current;
}

/** A dial inside one machine is done at once or not at all. */
const DIAL_BUDGET_MS = 1000;

/** An engine that has died leaves its socket behind: what can't be dialled is no answer, the exec will tell more. */
function dial(path: string, signal: AbortSignal | undefined): Promise<Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const onAbort = () => {
      clearTimeout(timer);
      socket
        .off("error", onError)
        .on("error", () => undefined)
        .destroy();
      reject(abortedError(signal as AbortSignal));
    };
    const timer = setTimeout(() => socket.destroy(new Error("the dial took too long")), DIAL_BUDGET_MS);
    const settle = (result: Socket | undefined) => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
      socket.off("error", onError);
      resolve(result);
    };
    const onError = () => settle(undefined);
    signal?.addEventListener("abort", onAbort, { once: true });
    socket.once("error", onError);
    socket.once("connect", () => settle(socket));
  });
}
