import { randomUUID } from "node:crypto";
import { text } from "node:stream/consumers";

import { createDockerClient, resolveDockerEndpoint, type DockerClient, type DockerEndpoint } from "@anyrunner/docker-endpoint";
import { ensureBusyboxImage } from "@anyrunner/testkit";
import { expect, vi } from "vitest";

import { createDockerExecutor, type DockerExecutorSettings } from "./docker-executor.ts";
import type { ExecResult, ExecStep, Executor, Segment, SegmentSpec, Snapshot } from "./executor.ts";

/** For the tests on a real daemon: `ANYRUNNER_TEST_DOCKER_HOST` names another than the default, such as Podman's. */
export interface TestExecutor {
  readonly executor: Executor;
  readonly client: DockerClient;
  readonly endpoint: DockerEndpoint;
  readonly busybox: Snapshot;
  /** A digest whose snapshot is removed in the end. */
  digest(): string;
  open(base?: Snapshot, spec?: Partial<SegmentSpec>): Promise<Segment>;
  /** Ids of containers that this executor made and that are still there. */
  containers(): Promise<readonly string[]>;
  /** Waits until the daemon has removed them all: what it was told to remove may take a busy one longer than the executor waits. */
  expectNoContainers(): Promise<void>;
  /** Waits until no container of a segment is left. */
  settled(): Promise<void>;
  /** Closes the executor and removes what a test run leaves on purpose: snapshots and cache volumes. */
  close(): Promise<void>;
}

/** Why the tests on a real daemon don't run; undefined when they do. A missing daemon is no reason. */
export const SKIP_DOCKER = process.env["ANYRUNNER_TEST_DOCKER"] === "skip";

export async function createTestExecutor(settings: Partial<DockerExecutorSettings> = {}): Promise<TestExecutor> {
  const host = process.env["ANYRUNNER_TEST_DOCKER_HOST"] ?? "unix:///var/run/docker.sock";
  const endpoint = await resolveDockerEndpoint({ env: {}, host });
  const client = createDockerClient(endpoint);
  const run = randomUUID();
  const executor = createDockerExecutor({ endpoint, labels: { "anyrunner.test": run }, ...settings });
  const reference = await ensureBusyboxImage({ socketPath: host.replace("unix://", "") });
  const busybox = (await executor.resolveImage(reference, {})).snapshot;
  const digests: string[] = [];

  const list = () =>
    client.json<readonly { readonly Id: string; readonly State: string }[]>({
      path: "/containers/json",
      query: { all: true, filters: { label: [`anyrunner.test=${run}`] } },
    });
  return {
    executor,
    client,
    endpoint,
    busybox,
    digest() {
      digests.push(`test-${randomUUID()}`);
      return digests.at(-1) as string;
    },
    open: (base = busybox, spec = {}) => executor.open(base, { mounts: [], privileged: false, network: "none", expectedSteps: 2, ...spec }, {}),
    containers: async () => (await list()).map(({ Id }) => Id),
    expectNoContainers: () => vi.waitFor(async () => expect(await list()).toEqual([]), { timeout: 120_000, interval: 200 }),
    async settled() {
      for (const { Id, State } of await list()) {
        if (State === "created") continue;
        const gone = await client.request({ method: "POST", path: `/containers/${Id}/wait`, query: { condition: "removed" }, expect: [404] });
        await text(gone.body);
      }
    },
    async close() {
      await executor.close();
      for (const digest of digests) await remove(client, `/images/anyrunner-embedded:${digest}`);
      client.close();
    },
  };
}

export async function remove(client: DockerClient, path: string): Promise<void> {
  const answer = await client.request({ method: "DELETE", path, query: { force: true }, expect: [404, 409] });
  answer.body.resume();
}

export interface Ran extends ExecResult {
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one step, a shell script where it is a text, and collects its output. */
export async function run(
  segment: Segment,
  command: string | readonly string[],
  step: Partial<ExecStep> & { readonly signal?: AbortSignal } = {},
): Promise<Ran> {
  const output = { stdout: "", stderr: "" };
  const outcome = await segment.exec(
    {
      args: typeof command === "string" ? ["sh", "-c", command] : command,
      env: ["PATH=/bin"],
      workingDir: "/",
      user: "",
      stdout: (chunk) => void (output.stdout += Buffer.from(chunk).toString()),
      stderr: (chunk) => void (output.stderr += Buffer.from(chunk).toString()),
      ...step,
    },
    { signal: step.signal },
  );
  return { ...outcome, ...output };
}
