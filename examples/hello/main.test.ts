import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { beforeAll, expect, test } from "vitest";

const run = promisify(execFile);
const here = import.meta.dirname;
const repository = path.resolve(here, "../..");
const anyrunner = path.join(repository, "apps/cli/src/bin.ts");

beforeAll(() => run(path.join(repository, "scripts/busybox-root"), [path.join(here, "rootfs")]));

test.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")("prints what a container printed (left out by ANYRUNNER_TEST_DOCKER=skip)", async () => {
  const { stdout } = await run(process.execPath, [anyrunner, "run", "--runner", "embedded://", "--", process.execPath, "main.ts"], { cwd: here });
  expect(stdout).toMatch(/^Hello from a container: Linux, BusyBox v[\d.]+ .*\n$/);
});

test.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")(
  "an SDK that starts its session itself gets it from anyrunner, on the runner of the project's configuration (left out by ANYRUNNER_TEST_DOCKER=skip)",
  async () => {
    // SDKs want the path of one program.
    const env = { ...process.env, _EXPERIMENTAL_DAGGER_CLI_BIN: anyrunner, PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env["PATH"]}` };
    const { stdout } = await run(process.execPath, ["main.ts"], { cwd: here, env });
    expect(stdout).toMatch(/^Hello from a container: /);
  },
);

test.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip").each(["unix", "tcp"])(
  "prints the same on a runner that listens for %s (left out by ANYRUNNER_TEST_DOCKER=skip)",
  async (scheme) => {
    const folder = await mkdtemp(path.join(tmpdir(), "hello-"));
    const address = scheme === "unix" ? `unix://${folder}/runner.sock` : "tcp://127.0.0.1:0";
    const runner = spawn(process.execPath, [anyrunner, "embedded", "serve", "--listen", address], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [url] = (await once(runner.stdout, "data")) as [Buffer];
      const { stdout } = await run(process.execPath, [anyrunner, "run", "--runner", url.toString().trim(), "--", process.execPath, "main.ts"], { cwd: here });
      expect(stdout).toMatch(/^Hello from a container: Linux, BusyBox v[\d.]+ .*\n$/);
    } finally {
      runner.kill();
      await once(runner, "exit");
      await rm(folder, { recursive: true, maxRetries: 10 });
    }
  },
);

test.skipIf(process.env["ANYRUNNER_TEST_ENGINE"] === undefined)("prints the same on a real engine (needs ANYRUNNER_TEST_ENGINE)", async () => {
  const { stdout } = await run(
    process.execPath,
    [anyrunner, "run", "--runner", process.env["ANYRUNNER_TEST_ENGINE"] ?? "", "--", process.execPath, "main.ts"],
    {
      cwd: here,
    },
  );
  expect(stdout).toMatch(/^Hello from a container: Linux, BusyBox v[\d.]+ .*\n$/);
});
