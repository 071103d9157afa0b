import { createHash } from "node:crypto";
import { homedir } from "node:os";
import { join, resolve } from "node:path";

import {
  RunnerError,
  throwIfAborted,
  unavailable,
  watchClose,
  type CallOptions,
  type ProbeResult,
  type RunnerConnection,
  type RunnerDriver,
  type RunnerHandle,
} from "@anyrunner/core/driver";
import { createDockerClient, resolveDockerEndpoint, type DockerEndpoint } from "@anyrunner/docker-endpoint";
import { duplexPair } from "@anyrunner/protocol";

import type { EmbeddedEngine } from "./engine.ts";
import { EMBEDDED_OPTIONS, parseEmbeddedTarget, type EmbeddedTarget } from "./target.ts";

/** What a user of the driver sets once. */
export interface EmbeddedSettings {
  /** Where `DOCKER_HOST` and the user's folders are read. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** Makes the engine behind a handle, for tests and for people with their own executor. Default: on Docker or Podman by its API. */
  readonly createEngine?: ((endpoint: EmbeddedHandle["endpoint"]) => EmbeddedEngine | Promise<EmbeddedEngine>) | undefined;
}

/** An engine of this process: its container engine, and the folder for contents and results. */
export interface EmbeddedHandle extends RunnerHandle {
  readonly driver: "embedded";
  readonly endpoint: { readonly docker: DockerEndpoint; readonly state: string };
}

/**
 * A driver whose engine lives in this very process and uses an existing Docker or Podman. Nothing is started before the first
 * stream, and everything ends with the process.
 */
export function createEmbeddedDriver(settings: EmbeddedSettings = {}): RunnerDriver<EmbeddedTarget, EmbeddedHandle> & { close(): Promise<void> } {
  const env = settings.env ?? process.env;
  const engines = new Map<string, Promise<EmbeddedEngine>>();

  const engineOf = (handle: EmbeddedHandle): Promise<EmbeddedEngine> => {
    const running = engines.get(handle.id) ?? (async () => (settings.createEngine ?? createEngine)(handle.endpoint))();
    engines.set(handle.id, running);
    running.catch(() => engines.delete(handle.id));
    return running;
  };

  return {
    specVersion: 1,
    name: "embedded",
    schemes: ["embedded"],
    capabilities: ["provision", "half-close"],
    options: EMBEDDED_OPTIONS,
    parse: parseEmbeddedTarget,
    probe: (target, options) => probe(target, env, options),

    async provision(target, options) {
      throwIfAborted(options.signal);
      const docker = await resolveEndpoint(target, env);
      const state = target.state === undefined ? defaultState(env) : resolve(target.state);
      const id = createHash("sha256")
        .update(JSON.stringify([docker.host, state]))
        .digest("hex")
        .slice(0, 16);
      const handle: EmbeddedHandle = { driver: "embedded", id: `embedded-${id}`, endpoint: { docker, state }, owned: true, labels: {} };
      await options.ready?.(handle, options);
      return handle;
    },

    async connect(handle, { signal }) {
      throwIfAborted(signal);
      const engine = await engineOf(handle);
      throwIfAborted(signal);
      return connectTo(engine, signal);
    },

    /** Ends the engines of this driver and what still runs on them. */
    async close() {
      const running = [...engines.values()];
      engines.clear();
      await Promise.all(running.map(async (engine) => (await engine.catch(() => undefined))?.close()));
    },
  };
}

/** The driver with its defaults: what a registry loads. */
export const driver: RunnerDriver<EmbeddedTarget, EmbeddedHandle> = createEmbeddedDriver();

async function createEngine({ docker, state }: EmbeddedHandle["endpoint"]): Promise<EmbeddedEngine> {
  const [{ createEmbeddedEngine }, { createDockerExecutor }] = await Promise.all([import("./engine.ts"), import("./executor/docker-executor.ts")]);
  return createEmbeddedEngine({ executor: createDockerExecutor({ endpoint: docker }), state });
}

function connectTo(engine: EmbeddedEngine, signal: AbortSignal | undefined): RunnerConnection {
  const [near, far] = duplexPair();
  engine.serve(far);
  const closed = watchClose(near);
  const onAbort = () => near.destroy();
  signal?.addEventListener("abort", onAbort, { once: true });
  void closed.then(() => signal?.removeEventListener("abort", onAbort));
  return { stream: near, kind: "socket", halfClose: true, closed, diagnostics: async () => ({ summary: "the engine runs in this process" }) };
}

async function probe(target: EmbeddedTarget, env: Readonly<Record<string, string | undefined>>, { signal }: CallOptions): Promise<ProbeResult> {
  throwIfAborted(signal);
  try {
    const endpoint = await resolveEndpoint(target, env);
    const client = createDockerClient(endpoint);
    try {
      const version = await client.apiVersion(signal);
      return { available: true, detail: `${endpoint.host}, API ${version}` };
    } finally {
      client.close();
    }
  } catch (error) {
    throwIfAborted(signal);
    const failure = RunnerError.from(error, "NOT_AVAILABLE");
    return {
      ...unavailable(failure),
      hint:
        failure.hint ?? "start Docker or Podman (on Debian: apt-get install -y docker.io), or name its API with embedded://?host=unix:///path/to/docker.sock",
    };
  }
}

function resolveEndpoint({ host, context }: EmbeddedTarget, env: Readonly<Record<string, string | undefined>>): Promise<DockerEndpoint> {
  return resolveDockerEndpoint({ env, ...(host === undefined ? {} : { host }), ...(context === undefined ? {} : { context }) });
}

/** Where the embedded runner keeps its index when nothing else is said: below the user's cache folder. */
export function defaultState(env: Readonly<Record<string, string | undefined>>): string {
  return join(env["XDG_CACHE_HOME"] || join(env["HOME"] || homedir(), ".cache"), "anyrunner", "embedded");
}
