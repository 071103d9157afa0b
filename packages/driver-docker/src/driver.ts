import {
  isLoopback,
  RunnerError,
  throwIfAborted,
  unavailable,
  type CallOptions,
  type ProbeResult,
  type ProvisionOptions,
  type Reporter,
  type RunnerDriver,
  type RunnerState,
} from "@anyrunner/core/driver";
import { createDockerClient, parseDockerHost, resolveDockerEndpoint, type DockerClient, type DockerEndpoint } from "@anyrunner/docker-endpoint";
import { cleansUp, engineDraining, withSecrets } from "@anyrunner/engine-container";

import { tellUnseenStart, type CacheLossOptions } from "./cache-fate.ts";
import { cleanUpEngines, keepLatestEngines } from "./clean-up.ts";
import { connectContainer, openClient } from "./connection.ts";
import { readLog } from "./container-log.ts";
import { containerName, containerNotFound, describeState, findContainer, requireContainer, type ContainerDetails } from "./container.ts";
import { isDraining } from "./drain-mark.ts";
import { createHandle, type DockerHandle } from "./handle.ts";
import { destroyEngineContainer, startEngineContainer, stopEngineContainer } from "./lifecycle.ts";
import { listHandles } from "./list-engines.ts";
import { provisionEngine } from "./provision-engine.ts";
import { CONTAINER_SCHEMES, DOCKER_OPTIONS, IMAGE_SCHEMES, parseDockerTarget, type DockerImageTarget, type DockerTarget } from "./target.ts";

/** What a user of the driver sets once. */
export interface DockerSettings {
  /** Where `DOCKER_HOST` and its like are read. Default: this process's environment. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  /** How long a dial of the daemon may take, in ms. Default 10,000. */
  readonly connectBudgetMs?: number | undefined;
  /** The engine version that belongs to the project, for `version=auto`. */
  readonly engineVersion?: string | undefined;
}

/**
 * A driver for engines in containers of a Docker daemon, reached by exec through its API: in existing ones by name, or by image in
 * one that it finds or makes. What it did not make it never removes.
 */
export function createDockerDriver(settings: DockerSettings = {}): RunnerDriver<DockerTarget, DockerHandle> {
  const warned = new Set<string>();
  /** API versions by daemon, so that a probe, a provision and the dials after it ask only once. */
  const agreed = new Map<string, string>();
  const { connectBudgetMs } = settings;
  const env = settings.env ?? process.env;

  async function withDaemon<T>(target: Pick<DockerTarget, "context" | "host">, options: CallOptions, work: (client: DockerClient) => Promise<T>): Promise<T> {
    throwIfAborted(options.signal);
    const { context, host } = target;
    const from = { kind: "flag", name: `?${host === undefined ? "context" : "host"}=` } as const;
    const endpoint = await resolveDockerEndpoint({ env, context, host, from });
    const client = createDockerClient(endpoint, { connectBudgetMs, apiVersion: agreed.get(endpoint.host) });
    try {
      const result = await work(client);
      agreed.set(endpoint.host, await client.apiVersion(options.signal));
      return result;
    } finally {
      client.close();
    }
  }

  async function withHandle<T>(handle: DockerHandle, options: CallOptions, work: (client: DockerClient) => Promise<T>): Promise<T> {
    throwIfAborted(options.signal);
    const client = openClient(handle, settings);
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }

  async function provisionImage(client: DockerClient, { image }: DockerImageTarget, options: ProvisionOptions): Promise<ContainerDetails> {
    const { container, plan, isStarted } = await provisionEngine(client, withSecrets(image, options.secrets), {
      ...options,
      env,
      engineVersion: settings.engineVersion,
    });
    if (cleansUp(image, env)) await cleanUpEngines(client, plan.name, options);
    if (image.keep !== undefined && isStarted) await keepLatestEngines(client, plan.name, { ...options, env, image: plan.image, keep: image.keep });
    return container;
  }

  return {
    specVersion: 1,
    name: "docker",
    schemes: [...CONTAINER_SCHEMES, ...IMAGE_SCHEMES],
    capabilities: ["provision", "half-close", "inspect", "logs", "lifecycle", "list"],
    options: DOCKER_OPTIONS,
    parse: parseDockerTarget,
    async probe(target, options) {
      try {
        return { available: true, detail: await withDaemon(target, options, (client) => describeTarget(client, target, options)) };
      } catch (error) {
        return reasonOf(error, options);
      }
    },
    provision: (target, options) =>
      withDaemon(target, options, async (client) => {
        const { endpoint } = client;
        warnPlaintext(endpoint, warned, options.report);
        const container = isImage(target)
          ? await provisionImage(client, target, options)
          : await requireOpenContainer(client, target.container, { ...options, env });
        return createHandle(endpoint, { id: container.Id, name: containerName(container), labels: container.Config.Labels });
      }),
    connect: (handle, options) => connectContainer(handle, { ...options, connectBudgetMs, apiVersion: agreed.get(handle.endpoint.docker.host) }),
    inspect: (handle, options) => withHandle(handle, options, async (client) => stateOf(await findContainer(client, handle.endpoint.container, options))),
    start: (handle, options) => withHandle(handle, options, (client) => startEngineContainer(client, handle, options)),
    stop: (handle, options) => withHandle(handle, options, (client) => stopEngineContainer(client, handle, options)),
    destroy: (handle, options) => withHandle(handle, options, (client) => destroyEngineContainer(client, handle, options)),
    list: (options) => withDaemon({}, options, (client) => listHandles(client, options)),
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

/** The driver with its defaults: what a registry loads. */
export const driver: RunnerDriver<DockerTarget, DockerHandle> = createDockerDriver();

function isImage(target: DockerTarget): target is DockerImageTarget {
  return "image" in target;
}

/** A container that takes new sessions. Fails with NOT_FOUND, NOT_RUNNING. */
async function requireOpenContainer(client: DockerClient, name: string, options: CacheLossOptions): Promise<ContainerDetails> {
  const container = await requireContainer(client, name, options);
  if (isDraining(container)) throw engineDraining({ driver: "docker", name: containerName(container) });
  await tellUnseenStart(client, container, options);
  return container;
}

async function describeTarget(client: DockerClient, target: DockerTarget, options: CallOptions): Promise<string> {
  if (isImage(target)) {
    const { body } = await client.request({ path: "/_ping", signal: options.signal });
    body.resume();
    return `the Docker daemon at ${client.endpoint.host} answers`;
  }
  const container = await requireContainer(client, target.container, options);
  return `the container "${containerName(container)}" ${describeState(container)}`;
}

function reasonOf(error: unknown, options: CallOptions): ProbeResult {
  throwIfAborted(options.signal);
  if (!RunnerError.is(error)) throw error;
  return unavailable(error);
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
