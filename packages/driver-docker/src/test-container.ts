import { randomUUID } from "node:crypto";

import { createDockerClient, resolveDockerEndpoint, type DockerClient } from "@anyrunner/docker-endpoint";
import { ensureConformanceImage, privilegedContainersRefused } from "@anyrunner/testkit";
import { vi } from "vitest";

/** Why tests with a real daemon don't run; `undefined`: they run, and fail where there is none. */
export const skipReason = process.env["ANYRUNNER_TEST_DOCKER"] === "skip" ? "ANYRUNNER_TEST_DOCKER=skip" : undefined;

/** Why tests that make engines don't run, which need privileged containers; `undefined`: they run. */
export const engineSkipReason = skipReason ?? (await privilegedContainersRefused());

/** Name and version of the daemon, for reports. */
export async function dockerVersion(): Promise<string> {
  const client = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
  try {
    return `Docker ${(await client.json<{ readonly Version: string }>({ path: "/version" })).Version}`;
  } finally {
    client.close();
  }
}

export interface TestContainer extends AsyncDisposable {
  readonly id: string;
  readonly name: string;
  readonly client: DockerClient;
  /** `kill`, `stop`, `pause`, `restart` and so on. */
  act(action: string, query?: Readonly<Record<string, string | number>>): Promise<void>;
  /** Programs in it beside its own command, and execs that the daemon keeps. */
  leftovers(): Promise<number>;
  remove(): Promise<void>;
}

export interface TestContainerOptions {
  /** Default: the image's, which logs one line and waits. */
  readonly command?: readonly string[] | undefined;
  /** Default: the image whose `buildctl` is the conformance peer. */
  readonly image?: string | undefined;
  readonly tty?: boolean | undefined;
  /** Default true. */
  readonly start?: boolean | undefined;
  readonly hostConfig?: object | undefined;
}

/** Runs a container on the real daemon. */
export async function runTestContainer(options: TestContainerOptions = {}): Promise<TestContainer> {
  const client = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
  const name = `anyrunner-test-${randomUUID().slice(0, 8)}`;
  const image = options.image ?? (await ensureConformanceImage());
  const { Id: id } = await client.json<{ readonly Id: string }>({
    method: "POST",
    path: "/containers/create",
    query: { name },
    json: {
      Image: image,
      Tty: options.tty ?? false,
      HostConfig: { NetworkMode: "none", ...options.hostConfig },
      ...(options.command && { Cmd: options.command }),
    },
  });
  let removed = false;
  const container: TestContainer = {
    id,
    name,
    client,
    async act(action, query) {
      await client.json({ method: "POST", path: `/containers/${id}/${action}`, query, expect: [304] });
    },
    leftovers: () => countLeftovers(client, id),
    async remove() {
      if (removed) return;
      removed = true;
      const { body } = await client.request({ method: "DELETE", path: `/containers/${id}`, query: { force: true, v: true }, expect: [404, 409] });
      body.resume();
      client.close();
    },
    [Symbol.asyncDispose]: () => container.remove(),
  };
  if (options.start ?? true) await container.act("start");
  return container;
}

const REMOVAL = { timeout: 60_000, interval: 100 };

/** A name for an engine that a driver will make; with what tests do to it and take away afterwards, its volume included. */
export interface EngineSite extends AsyncDisposable {
  readonly name: string;
  kill(): Promise<void>;
  leftovers(): Promise<number>;
  remove(): Promise<void>;
}

export function createEngineSite(name = `anyrunner-test-${randomUUID().slice(0, 8)}`): EngineSite {
  const withClient = async <T>(work: (client: DockerClient) => Promise<T>): Promise<T> => {
    const client = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
    try {
      return await work(client);
    } finally {
      client.close();
    }
  };
  const remove = () =>
    withClient(async (client) => {
      for (const [path, query] of [
        [`/containers/${name}`, { force: true, v: true }],
        [`/volumes/${name}`, {}],
      ] as const) {
        // A removal that somebody else began may not be over yet.
        await vi.waitFor(async () => {
          const { body } = await client.request({ method: "DELETE", path, query, expect: [404] });
          body.resume();
        }, REMOVAL);
      }
    });
  return {
    name,
    async kill() {
      // Killed by hand, a container is not started again by its daemon.
      await withClient((client) => client.json({ method: "POST", path: `/containers/${name}/kill`, expect: [404, 409] }));
    },
    leftovers: () => withClient((client) => countLeftovers(client, name)),
    remove,
    [Symbol.asyncDispose]: remove,
  };
}

async function countLeftovers(client: DockerClient, id: string): Promise<number> {
  const state = await client.request({ path: `/containers/${id}/json`, expect: [404] });
  if (state.status === 404) {
    state.body.resume();
    return 0;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of state.body as AsyncIterable<Buffer>) chunks.push(chunk);
  const {
    ExecIDs: execIds,
    State: { Running: running },
  } = JSON.parse(Buffer.concat(chunks).toString()) as { readonly ExecIDs: readonly string[] | null; readonly State: { readonly Running: boolean } };
  if (!running) return 0;
  const { Processes: processes } = await client.json<{ readonly Processes: readonly (readonly string[])[] }>({ path: `/containers/${id}/top` });
  const foreign = processes.filter((columns) => !/wait-for-stop|sleep 3600$/.test(columns.at(-1) ?? ""));
  return foreign.length + (execIds?.length ?? 0);
}
