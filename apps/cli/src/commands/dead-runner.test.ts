import { writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createCliHarness, type CliHarness } from "../test-cli.ts";

// A driver of one runner, which crashes again and again: it is refused where it shall be used, and known where it is looked at.
const DRIVER = `
const handle = { driver: "grave", id: "engine-0", endpoint: { pod: "engine-0" }, owned: false, labels: {} };
const refuse = () => {
  const error = new Error("the pod engine-0 is over");
  Object.defineProperty(error, Symbol.for("anyrunner.RunnerError"), { value: true });
  throw Object.assign(error, { code: "NOT_RUNNING", hint: "see why", driver: "grave", retryable: true, details: { handle } });
};
export const driver = {
  specVersion: 1, name: "grave", schemes: ["grave"], capabilities: ["inspect", "logs"], options: [],
  parse: ({ body }) => ({ driver: "grave", url: "grave://" + body }),
  probe: async () => ({ available: true }),
  provision: async (_, { waitMs }) => waitMs === 0 ? refuse() : new Promise(() => {}),
  connect: async () => refuse(),
  inspect: async () => ({
    status: "starting", exitCode: 137, oomKilled: true,
    details: { restarts: 4, node: "n1", events: ["BackOff: Back-off restarting failed container"], eventsUnknown: "claims are forbidden" },
  }),
  logs: async function* () { yield "taking too\\nmuch\\n"; },
};
`;

let cli: CliHarness;
const ENV = { PATH: "", DOCKER_HOST: "tcp://127.0.0.1:1" };
beforeAll(async () => {
  cli = await createCliHarness();
  await writeFile(join(cli.home, "grave.mjs"), DRIVER);
  await writeFile(join(cli.home, "anyrunner.config.yaml"), "drivers:\n  - { path: ./grave.mjs, name: grave, schemes: [grave] }\n");
  expect(await cli.run(["drivers", "trust", "./grave.mjs"])).toMatchObject({ exitCode: 0 });
});
afterAll(() => cli.remove());

/** The command starts slowly on a busy machine. */
const PATIENCE_MS = 120_000;
const run = (...args: string[]) => cli.run(args, { env: ENV });

test("doctor says how a runner ended that was never reached, what happened to it, and its last words", { timeout: PATIENCE_MS }, async () => {
  const { exitCode, stdout } = await run("doctor", "grave://engine", "--json");
  expect(exitCode).toBe(1);
  const { checks } = JSON.parse(stdout) as { readonly checks: readonly object[] };
  expect(checks).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ id: "engine.dial", status: "failed", detail: "the pod engine-0 is over (NOT_RUNNING)", remedy: "see why" }),
      {
        id: "runner.state",
        status: "failed",
        detail: "starting on the node n1, exit code 137, killed for lack of memory, restarted 4 times",
        remedy: expect.stringContaining("more memory"),
      },
      { id: "runner.events", status: "warning", detail: "what happened to it:\nBackOff: Back-off restarting failed container" },
      { id: "runner.events", status: "skipped", detail: "what happened to it can't be known: claims are forbidden" },
      { id: "engine.log", status: "ok", detail: "its last words:\ntaking too\nmuch" },
    ]),
  );
});

test("inspect and logs know it, too", { timeout: PATIENCE_MS }, async () => {
  expect(await run("logs", "grave://engine")).toMatchObject({ exitCode: 0, stdout: "taking too\nmuch\n" });
  const inspected = await run("inspect", "grave://engine", "--json");
  expect(JSON.parse(inspected.stdout)).toMatchObject({ id: "engine-0", status: "starting", exitCode: 137 });
});
