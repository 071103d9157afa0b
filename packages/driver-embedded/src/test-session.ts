import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseRunnerUrl, type Runner } from "@anyrunner/core";
import { openSession, type EngineSession, type OpenSessionOptions } from "@anyrunner/engine";

import { createEmbeddedDriver } from "./driver.ts";
import { createEmbeddedEngine } from "./engine.ts";
import type { ExecStep, Executor } from "./executor/executor.ts";
import { createFakeExecutor, type FakeExecutor } from "./executor/fake-executor.ts";
import { createBlobStore } from "./tree/blob-store.ts";

/** A session of the real engine client on an embedded engine whose containers are fakes. */
export interface TestSession {
  readonly session: EngineSession;
  readonly runner: Runner;
  readonly executor: FakeExecutor;
  /** A folder of its own, the session's working directory. */
  readonly folder: string;
  /** The data of a query; fails with the first error's message. */
  // eslint-disable-next-line typescript/no-explicit-any -- the shape is the query's
  query(text: string, variables?: Record<string, unknown>): Promise<any>;
  /** The first error of a query that must fail. */
  failure(text: string): Promise<{ readonly message: string; readonly path?: readonly (string | number)[]; readonly extensions?: Record<string, unknown> }>;
  open(options?: Partial<OpenSessionOptions>): Promise<EngineSession>;
  /** Keys of the snapshots that were made, oldest first. */
  snapshotKeys(): Promise<readonly string[]>;
  close(): Promise<void>;
}

export interface TestSessionOptions extends Partial<OpenSessionOptions> {
  readonly gate?: ((step: ExecStep) => Promise<void> | void) | undefined;
  readonly state?: string | undefined;
  readonly executor?: ((fake: FakeExecutor) => Executor) | undefined;
}

export async function openTestSession({ gate, executor: wrap, state: stateFolder, ...sessionOptions }: TestSessionOptions = {}): Promise<TestSession> {
  const root = await mkdtemp(join(tmpdir(), "anyrunner-embedded-"));
  const folder = await mkdtemp(join(root, "work-"));
  const state = stateFolder ?? join(root, "state");
  const executor = createFakeExecutor({ store: createBlobStore(join(root, "fake")), gate });
  const driver = createEmbeddedDriver({
    env: { DOCKER_HOST: "unix:///nowhere" },
    createEngine: ({ state: folder }) => createEmbeddedEngine({ executor: wrap?.(executor) ?? executor, state: folder }),
  });
  const url = `embedded://?state=${state}`;
  const handle = await driver.provision(await driver.parse(parseRunnerUrl(url)), {});
  const runner = { url, driver, handle, losers: [], connect: (call = {}) => driver.connect(handle, call) } as unknown as Runner;
  const open = (options: Partial<OpenSessionOptions> = {}) => openSession(runner, { env: {}, cwd: folder, stableId: "test", ...sessionOptions, ...options });
  const session = await open();
  return {
    session,
    runner,
    executor,
    folder,
    open,
    async query(text, variables) {
      const { data, errors } = await session.query({ query: text, ...(variables === undefined ? {} : { variables }) });
      if (errors !== undefined && errors.length > 0) throw new Error(errors[0]?.message);
      return data;
    },
    async failure(text) {
      const { errors } = await session.query({ query: text });
      if (errors?.[0] === undefined) throw new Error("the query did not fail");
      return errors[0] as Awaited<ReturnType<TestSession["failure"]>>;
    },
    async snapshotKeys() {
      const files = await readdir(join(state, "index")).catch(() => []);
      const lines = (await Promise.all(files.map((file) => readFile(join(state, "index", file), "utf8")))).flatMap((text) => text.split("\n"));
      return lines.filter((line) => line.includes('"snapshot":{')).map((line) => (JSON.parse(line) as { readonly key: string }).key);
    },
    async close() {
      await session.close();
      await driver.close();
      await rm(root, { recursive: true, force: true });
    },
  };
}
