import { randomBytes } from "node:crypto";

import { createDockerClient, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";
import { CACHE_ROLE, ENGINE_LABELS } from "@anyrunner/engine-container";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { createCliHarness, type CliHarness } from "./test-cli.ts";

let cli: CliHarness;
beforeAll(async () => {
  cli = await createCliHarness();
});
afterAll(() => cli.remove());

describe.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")(
  "a cache whose engine was removed (left out with ANYRUNNER_TEST_DOCKER=skip)",
  { timeout: 300_000 },
  () => {
    async function makeVolume(labels: Readonly<Record<string, string>>): Promise<string> {
      const name = `anyrunner-test-cache-${randomBytes(4).toString("hex")}`;
      const client = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
      (await client.request({ method: "POST", path: "/volumes/create", json: { Name: name, Labels: labels } })).body.resume();
      onTestFinished(async () => {
        (await client.request({ method: "DELETE", path: `/volumes/${name}`, expect: [404] })).body.resume();
        client.close();
      });
      return name;
    }
    const run = (...args: string[]) => cli.run(args, { env: { DOCKER_HOST: process.env["DOCKER_HOST"] ?? "" } });
    const caches = async () => (JSON.parse((await run("du", "--json")).stdout) as { readonly caches: readonly { readonly name: string }[] }).caches;

    test("is counted by du and removed by rm --volume, after its size was shown", async () => {
      const name = await makeVolume({ [ENGINE_LABELS.role]: CACHE_ROLE });
      expect((await caches()).find((cache) => cache.name === name)).toMatchObject({ driver: "docker", name });
      expect((await run("du")).stdout).toContain(`anyrunner rm --volume ${name}`);
      expect(await run("rm", name)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("there is no runner") });
      expect(await run("rm", "--volume", "--dry-run", name)).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(`^would remove volume ${name} \\(`) });
      expect(await run("rm", "--volume", name)).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(`^removing volume ${name} \\(`) });
      expect(await run("rm", "--volume", name)).toMatchObject({ exitCode: 1 });
      expect((await caches()).filter((cache) => cache.name === name)).toEqual([]);
    });

    test("a volume of somebody else is neither shown nor removed", async () => {
      const name = await makeVolume({});
      expect((await caches()).filter((cache) => cache.name === name)).toEqual([]);
      expect(await run("rm", "--volume", name)).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("there is no runner") });
    });
  },
);

test("where no runtime is, there are none", async () => {
  const { exitCode, stdout } = await cli.run(["du", "--json"], { env: { PATH: "", DOCKER_HOST: "tcp://127.0.0.1:1" } });
  expect([exitCode, JSON.parse(stdout)]).toEqual([0, { runners: [], caches: [], bytes: 0, prunableBytes: 0 }]);
});
