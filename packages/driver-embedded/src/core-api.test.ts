import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { createDockerClient, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";
import { privilegedContainersRefused } from "@anyrunner/testkit";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";

import { createDockerExecutor } from "./executor/docker-executor.ts";
import type { Executor } from "./executor/executor.ts";
import { makeCoreApiFixture, type CoreApiFixture } from "./test-fixture.ts";
import { isAnswered, replayCase, type RecordedCase } from "./test-replay.ts";
import { openTestSession, type TestSession } from "./test-session.ts";

/**
 * Programs that a real engine 0.21.8 was asked, with its answers: those that the embedded runner answers alike. A case that
 * passes now must go on passing, so the counts only go up (`test/collect-core-api.ts` adds what passes newly).
 */
const CASES = join(import.meta.dirname, "../test/core-api");
const FLOOR = JSON.parse(readFileSync(join(CASES, "counts.json"), "utf8")) as Record<"pure" | "containers", number>;
const JOBS = 4;

/** The one recorded program that needs a privileged container; left out, by name, where Docker starts none. */
const PRIVILEGED_CASE = "insecureRootCapabilities";
const skipsDocker = process.env["ANYRUNNER_TEST_DOCKER"] === "skip";
const refused = skipsDocker ? undefined : await privilegedContainersRefused();
if (refused !== undefined) test.skip(`${PRIVILEGED_CASE} (${refused})`, () => {});

suite("pure", async () => undefined);

describe.skipIf(skipsDocker)("with a container engine", () => {
  suite("containers", async () => createDockerExecutor({ endpoint: await resolveDockerEndpoint({ env: process.env }) }));
});

function suite(kind: "pure" | "containers", createExecutor: () => Promise<Executor | undefined>): void {
  const groups = readdirSync(join(CASES, kind)).map((file) => ({ file, cases: readCases(join(CASES, kind, file)) }));

  describe(`core API, ${kind}`, () => {
    const volumes = new Set<string>();
    let at: TestSession;
    let fixture: CoreApiFixture;

    beforeAll(async () => {
      process.umask(0o022);
      const executor = await createExecutor();
      [at, fixture] = await Promise.all([
        openTestSession({ env: { ...process.env, DO_NOT_TRACK: "1" }, ...(executor === undefined ? {} : { executor: () => noteVolumes(executor, volumes) }) }),
        makeCoreApiFixture(),
      ]);
    });

    afterAll(async () => {
      await at.session.close();
      const keys = await at.snapshotKeys();
      await at.close();
      await fixture.remove();
      const cleaner = await createExecutor();
      for (const key of keys.toReversed()) await cleaner?.forget(key, {});
      await cleaner?.close();
      await removeVolumes(volumes);
    });

    test("no recorded case was dropped", () => {
      expect(groups.reduce((sum, { cases }) => sum + cases.length, 0)).toBeGreaterThanOrEqual(FLOOR[kind]);
    });

    test.each(groups)("$file", { timeout: 600_000 }, async ({ cases }) => {
      const run = `r${process.pid}${Date.now().toString(36)}`;
      const wrong: { readonly name: string; readonly expected: unknown; readonly answer: unknown }[] = [];
      const queue = cases.filter(({ name }) => refused === undefined || name !== PRIVILEGED_CASE);
      const work = async () => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const answer = await replayCase(next, { session: at.session, fixture: fixture.path, run });
          if (!isAnswered(next, answer)) wrong.push({ name: next.name, expected: next.expect, answer });
        }
      };
      await Promise.all(Array.from({ length: JOBS }, work));
      expect(wrong).toEqual([]);
    });
  });
}

/** The executor as it is, with every cache volume that it mounts noted. */
function noteVolumes(executor: Executor, volumes: Set<string>): Executor {
  return {
    ...executor,
    open(base, spec, options) {
      for (const mount of spec.mounts) if (mount.kind === "cache") volumes.add(mount.volume);
      return executor.open(base, spec, options);
    },
  };
}

/** Caches outlive sessions; those of a test run have names that no other run has. */
async function removeVolumes(volumes: ReadonlySet<string>): Promise<void> {
  if (volumes.size === 0) return;
  const client = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
  const remove = async (volume: string) => (await client.request({ method: "DELETE", path: `/volumes/${volume}`, query: { force: "1" } })).body.resume();
  // The daemon may still be removing the containers that used it.
  for (const volume of volumes) await vi.waitFor(() => remove(volume), { timeout: 120_000, interval: 500 });
  client.close();
}

function readCases(file: string): RecordedCase[] {
  return readFileSync(file, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as RecordedCase);
}
