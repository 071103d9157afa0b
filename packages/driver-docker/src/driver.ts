import { RunnerError, throwIfAborted, type CallOptions, type ProbeResult, type Reporter, type RunnerDriver, type RunnerState } from "@anyrunner/core";
import { createDockerClient, isLoopback, parseDockerHost, resolveDockerEndpoint, type DockerClient, type DockerEndpoint } from "@anyrunner/docker-endpoint";

import { connectContainer, openClient } from "./connection.ts";
import { readLog } from "./container-log.ts";
import { containerName, containerNotFound, describeState, findContainer, requireContainer, type ContainerDetails } from "./container.ts";
import type { DockerHandle } from "./handle.ts";
import { DOCKER_OPTIONS, parseDockerTarget, type DockerTarget } from "./target.ts";

export interface DockerSettings {
  /** Where `DOCKER_HOST` and its like are read. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** How long a dial of the daemon may take, in ms. Default 10,000. */
  readonly connectBudgetMs?: number | undefined;
}

/**
 * A driver for engines in existing containers of a Docker daemon, reached by exec through its API. It creates nothing, so
 * it neither starts, stops nor removes anything.
 */
export function createDockerDriver(settings: DockerSettings = {}): RunnerDriver<DockerTarget, DockerHandle> {
  const warned = new Set<string>();
  const { connectBudgetMs } = settings;

  async function withDaemon<T>(target: DockerTarget, options: CallOptions, work: (client: DockerClient) => Promise<T>): Promise<T> {
    throwIfAborted(options.signal);
    const { context, host } = target;
    const from = { kind: "flag", name: `?${host === undefined ? "context" : "host"}=` } as const;
    const endpoint = await resolveDockerEndpoint({ env: settings.env ?? process.env, context, host, from });
    const client = createDockerClient(endpoint, { connectBudgetMs });
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }

  return {
    specVersion: 1,
    name: "docker",
    schemes: ["docker-container", "container+docker"],
    capabilities: ["half-close", "inspect", "logs"],
    options: DOCKER_OPTIONS,
    parse: parseDockerTarget,
    async probe(target, options) {
      try {
        const container = await withDaemon(target, options, (client) => requireContainer(client, target.container, options));
        return { available: true, detail: `the container "${containerName(container)}" ${describeState(container)}` };
      } catch (error) {
        return reasonOf(error, options);
      }
    },
    provision: (target, options) =>
      withDaemon(target, options, async (client) => {
        const { endpoint } = client;
        warnPlaintext(endpoint, warned, options.report);
        const container = await requireContainer(client, target.container, options);
        return {
          driver: "docker",
          id: container.Id,
          endpoint: { docker: endpoint, container: container.Id, name: containerName(container) },
          owned: false,
          labels: {},
        };
      }),
    connect: (handle, options) => connectContainer(handle, { ...options, connectBudgetMs }),
    async inspect(handle, options) {
      throwIfAborted(options.signal);
      const client = openClient(handle, settings);
      try {
        return stateOf(await findContainer(client, handle.endpoint.container, options));
      } finally {
        client.close();
      }
    },
    async *logs(handle, options) {
      throwIfAborted(options.signal);
      const client = openClient(handle, settings);
      try {
        const container = await findContainer(client, handle.endpoint.container, options);
        if (container === undefined) throw await containerNotFound(client, handle.endpoint.name, options);
        yield* readLog(client, container.Id, { tty: container.Config.Tty, tail: options.tail ?? 100, follow: options.follow ?? false, signal: options.signal });
      } finally {
        client.close();
      }
    },
  };
}

export const driver: RunnerDriver<DockerTarget, DockerHandle> = createDockerDriver();

function reasonOf(error: unknown, options: CallOptions): ProbeResult {
  throwIfAborted(options.signal);
  if (!RunnerError.is(error)) throw error;
  return { available: false, code: error.code, reason: error.message, hint: error.hint };
}

function stateOf(container: ContainerDetails | undefined): RunnerState {
  if (container === undefined) return { status: "missing" };
  const { State: state, Config: config, RestartCount: restarts = 0 } = container;
  const ended = state.Status !== "running" && state.Status !== "paused" && state.Status !== "created";
  return {
    status: runnerStatus(container),
    image: config.Image,
    ...(state.Status !== "created" && { startedAt: state.StartedAt }),
    ...(ended && { exitCode: state.ExitCode, oomKilled: state.OOMKilled }),
    details: { container: container.Id, name: containerName(container), state: state.Status, restarts },
  };
}

function runnerStatus({ State: state }: ContainerDetails): RunnerState["status"] {
  if (state.Status === "running") return "running";
  return state.Status === "restarting" ? "starting" : "stopped";
}

function warnPlaintext(endpoint: DockerEndpoint, warned: Set<string>, report: Reporter | undefined): void {
  const address = parseDockerHost(endpoint.host);
  if (report === undefined || address.kind !== "tcp" || endpoint.tls !== undefined || isLoopback(address.hostname) || warned.has(endpoint.host)) return;
  warned.add(endpoint.host);
  report({
    type: "warning",
    id: "plaintext-docker-host",
    message: `the Docker host ${endpoint.host} is not encrypted: whoever is on the way can read everything, and is root on that machine`,
    hint: "use TLS (DOCKER_TLS_VERIFY and DOCKER_CERT_PATH, or a context), or forward the socket by ssh",
  });
}
