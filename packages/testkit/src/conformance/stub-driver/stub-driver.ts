import { connect as dial, type Socket } from "node:net";
import { stat } from "node:fs/promises";

import {
  abortedError,
  formatRunnerUrl,
  readOptions,
  RunnerError,
  throwIfAborted,
  type CloseReason,
  type RunnerConnection,
  type RunnerDriver,
  type RunnerHandle,
  type RunnerTarget,
} from "@anyrunner/core";

const OPTIONS = [{ name: "token", type: "string", help: "Not used; a secret for the suite to look for.", secret: true }] as const;

interface StubTarget extends RunnerTarget {
  readonly path: string;
}

interface StubHandle extends RunnerHandle {
  readonly endpoint: { readonly path: string };
}

/** The smallest driver that passes: streams over a Unix socket, `stub:///path`. */
export function createStubDriver(): RunnerDriver<StubTarget, StubHandle> {
  return {
    specVersion: 1,
    name: "stub",
    schemes: ["stub"],
    capabilities: ["half-close"],
    options: OPTIONS,
    parse(url) {
      readOptions(url, OPTIONS);
      if (!url.body.startsWith("/")) throw new RunnerError("INVALID_URL", `${formatRunnerUrl(url)} names no absolute path`, { hint: "write stub:///path" });
      return { driver: "stub", url: formatRunnerUrl(url), path: url.body };
    },
    async probe(target, { signal }) {
      throwIfAborted(signal);
      const found = await stat(target.path).catch(() => undefined);
      throwIfAborted(signal);
      return found?.isSocket() ? { available: true } : { available: false, reason: `${target.url} is no socket` };
    },
    async provision(target, { signal }) {
      throwIfAborted(signal);
      return { driver: "stub", id: target.path, endpoint: { path: target.path }, owned: false, labels: {} };
    },
    connect: (handle, { signal }) => connect(handle.endpoint.path, signal),
  };
}

export const driver: RunnerDriver<StubTarget, StubHandle> = createStubDriver();

function connect(path: string, signal: AbortSignal | undefined): Promise<RunnerConnection> {
  return new Promise((resolve, reject) => {
    throwIfAborted(signal);
    const socket = dial({ path, allowHalfOpen: true });
    const stop = () => {
      socket.destroy();
      if (signal !== undefined) reject(abortedError(signal));
    };
    signal?.addEventListener("abort", stop, { once: true });
    socket.once("close", () => signal?.removeEventListener("abort", stop));
    socket.once("error", (cause) => reject(new RunnerError("CONNECTION_REFUSED", `nothing listens at ${path}`, { cause, hint: "start the server" })));
    socket.once("connect", () => {
      signal?.removeEventListener("abort", stop);
      socket.removeAllListeners("error");
      resolve({ stream: socket, kind: "socket", halfClose: true, closed: closeOf(socket), diagnostics: () => Promise.resolve({}) });
    });
  });
}

function closeOf(socket: Socket): Promise<CloseReason> {
  return new Promise((resolve) => {
    socket.once("end", () => {
      socket.end();
      resolve({ kind: "end" });
    });
    socket.once("error", (error) => resolve({ kind: "error", error }));
    socket.once("close", () => resolve({ kind: "local" }));
  });
}
