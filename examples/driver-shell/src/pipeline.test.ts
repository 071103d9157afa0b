import { execFile, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";

import { expect, test } from "vitest";

const run = promisify(execFile);
const repository = path.resolve(import.meta.dirname, "../../..");
const anyrunner = path.join(repository, "apps/cli/src/bin.ts");
const hello = path.join(repository, "examples/hello");
const program = path.join(import.meta.dirname, "../anyrunner-driver-socat");
const env = { ...process.env, PATH: `${path.dirname(program)}${path.delimiter}${process.env["PATH"]}`, ANYRUNNER_TRUST_DRIVERS: program };

const noDocker = process.env["ANYRUNNER_TEST_DOCKER"] === "skip";
const noSocat = spawnSync("socat", ["-V"]).status !== 0;

/** Runs examples/hello on the runner. */
async function runHello(url: string): Promise<string> {
  await run(path.join(repository, "scripts/busybox-root"), [path.join(hello, "rootfs")]);
  const { stdout } = await run(process.execPath, [anyrunner, "run", "--runner", url, "--", process.execPath, "main.ts"], { cwd: hello, env });
  return stdout;
}

test.skipIf(noDocker || noSocat)(
  "examples/hello runs on the embedded runner through socat, and with the socket that socat:// names (left out without socat, or by ANYRUNNER_TEST_DOCKER=skip)",
  { timeout: 240_000 },
  async () => {
    const folder = await mkdtemp(path.join(tmpdir(), "socat-hello-"));
    const runner = spawn(process.execPath, [anyrunner, "embedded", "serve", "--listen", `unix://${folder}/runner.sock`], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    try {
      await once(runner.stdout, "data");
      for (const direct of [false, true]) {
        expect(await runHello(`socat://UNIX-CONNECT:${folder}/runner.sock?direct=${direct}`)).toMatch(/^Hello from a container: Linux, BusyBox v[\d.]+ .*\n$/);
      }
    } finally {
      runner.kill();
      await once(runner, "exit");
      await rm(folder, { recursive: true, maxRetries: 10 });
    }
  },
);

const engine = process.env["ANYRUNNER_TEST_ENGINE"] ?? "";
test.skipIf(!engine.startsWith("unix://") || noSocat)("and on a real engine (needs ANYRUNNER_TEST_ENGINE=unix://…)", { timeout: 240_000 }, async () => {
  for (const direct of [false, true]) {
    expect(await runHello(`socat://UNIX-CONNECT:${engine.slice("unix://".length)}?direct=${direct}`)).toMatch(/^Hello from a container: Linux, BusyBox /);
  }
});
