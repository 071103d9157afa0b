import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

import { startConnectProxy } from "./connect-proxy.fixture.ts";

const run = promisify(execFile);
const repository = path.resolve(import.meta.dirname, "../../..");
const anyrunner = path.join(repository, "apps/cli/src/bin.ts");
const hello = path.join(repository, "examples/hello");
const program = path.join(import.meta.dirname, "../anyrunner-driver-proxy");
const env = { ...process.env, PATH: `${path.dirname(program)}${path.delimiter}${process.env["PATH"]}`, ANYRUNNER_TRUST_DRIVERS: program };

/** Runs examples/hello on the engine at `address` (`host:port`), once for each way of `connect`. */
async function expectHello(address: string): Promise<void> {
  await run(path.join(repository, "scripts/busybox-root"), [path.join(hello, "rootfs")]);
  const proxy = await startConnectProxy();
  try {
    for (const how of ["loopback", "stdio"]) {
      const url = `proxy://${address}?via=${proxy.address}&how=${how}`;
      const { stdout } = await run(process.execPath, [anyrunner, "run", "--runner", url, "--", process.execPath, "main.ts"], { cwd: hello, env });
      expect(stdout).toMatch(/^Hello from a container: Linux, BusyBox v[\d.]+ .*\n$/);
    }
  } finally {
    await proxy.close();
  }
}

test.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")(
  "examples/hello runs on the embedded runner through proxy:// (left out by ANYRUNNER_TEST_DOCKER=skip)",
  { timeout: 240_000 },
  async () => {
    const runner = spawn(process.execPath, [anyrunner, "embedded", "serve", "--listen", "tcp://127.0.0.1:0"], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      const [url] = (await once(runner.stdout, "data")) as [Buffer];
      await expectHello(url.toString().trim().replace("tcp://", ""));
    } finally {
      runner.kill();
      await once(runner, "exit");
    }
  },
);

const engine = process.env["ANYRUNNER_TEST_ENGINE_TCP"] ?? "";
test.skipIf(!engine.startsWith("tcp://"))("and on a real engine (needs ANYRUNNER_TEST_ENGINE_TCP=tcp://…)", { timeout: 240_000 }, () =>
  expectHello(engine.slice("tcp://".length)),
);
