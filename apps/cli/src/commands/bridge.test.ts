import { readFile, stat } from "node:fs/promises";
import { connect } from "node:net";
import { dirname, join } from "node:path";

import { createEngineDouble, type EngineDouble } from "@anyrunner/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { createCliHarness, streamsClosed, type CliHarness } from "../test-cli.ts";

let cli: CliHarness;
let double: EngineDouble;
let runner: string;
beforeAll(async () => {
  cli = await createCliHarness();
});
afterAll(() => cli.remove());
beforeEach(async () => {
  double = createEngineDouble();
  runner = await double.listen();
});
afterEach(async () => {
  await streamsClosed(double);
  await double.kill();
});

const VARIABLE = "_EXPERIMENTAL_DAGGER_RUNNER_HOST";

interface Shown {
  readonly address: string;
  readonly engine: { readonly version: string };
  readonly variables: Readonly<Record<string, string>>;
}

/** Starts a bridge and waits until it serves. */
async function startBridge(...flags: readonly string[]) {
  const running = await cli.start(["bridge", "--runner", runner, "--json", ...flags]);
  await running.waitFor('"variables"');
  return { ...running, shown: JSON.parse(running.stdout()) as Shown };
}

describe("--exec", () => {
  test("gives a command the address, and ends with its exit code and without a trace", async () => {
    const script = `echo "$${VARIABLE}"; test -S "\${${VARIABLE}#unix://}" && exit 7`;
    const result = await cli.run(["bridge", "--runner", runner, "--exec", "--", "sh", "-c", script]);
    expect(result.exitCode).toBe(7);
    expect(result.stdout).toMatch(/^unix:\/\/.*\/anyrunner-bridge-[A-Za-z0-9]{6}\/engine\.sock\n$/);
    expect(result.stderr).toBe(`bridge to ${runner} · engine v0.21.8 · from flag --runner\n`);
    await expect(stat(dirname(result.stdout.trim().replace("unix://", "")))).rejects.toThrow(/ENOENT/);
  });

  test("our own command is a client of it", async () => {
    const { DAGGER_SESSION_PORT: _, ...env } = { DAGGER_SESSION_PORT: "1", DAGGER_SESSION_TOKEN: "of a session that the bridge is not for" };
    const bin = join(import.meta.dirname, "../bin.ts");
    const args = ["bridge", "--runner", runner, "--silent", "--exec", "--", process.execPath, bin, "query", "--silent"];
    const result = await cli.run(args, { input: "{ version }", env: { ...env, DAGGER_SESSION_PORT: "1" } });
    expect(result).toEqual({ exitCode: 0, stdout: '{\n    "version": "v0.21.8"\n}\n', stderr: "" });
  });

  test("a signal reaches the command", async () => {
    const script = `trap 'echo caught; exit 3' TERM; echo ready; while :; do sleep 0.05; done`;
    const running = await cli.start(["bridge", "--runner", runner, "--exec", "--", "sh", "-c", script]);
    await running.waitFor("ready");
    running.kill("SIGTERM");
    expect(await running.ended).toMatchObject({ exitCode: 3, stdout: "ready\ncaught\n" });
  });
});

describe("in the foreground", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("prints the address, serves, and ends in order on %s", async (signal) => {
    const { shown, kill, ended } = await startBridge();
    expect(shown).toMatchObject({ engine: { version: "v0.21.8" }, variables: { [VARIABLE]: shown.address } });
    const query = await cli.run(["query", "--runner", shown.address], { input: "{ version }" });
    expect(query).toMatchObject({ exitCode: 0, stderr: `runner ${shown.address} · engine v0.21.8 · from flag --runner\n` });
    kill(signal);
    expect(await ended).toMatchObject({ exitCode: 0, stderr: `bridge to ${runner} · engine v0.21.8 · from flag --runner\n` });
  });

  test("the line for the shell is the one of --shell", async () => {
    const running = await cli.start(["bridge", "--runner", runner, "--shell", "fish"]);
    await running.waitFor("until interrupted");
    running.kill("SIGTERM");
    expect((await running.ended).stdout).toMatch(/^set -gx _EXPERIMENTAL_DAGGER_RUNNER_HOST 'unix:\/\/.*'\n$/);
  });

  test("plain TCP with consent, and TLS for clients with a certificate", async () => {
    const tcp = await startBridge("--listen", "tcp://127.0.0.1:0", "--insecure-tcp");
    expect((await cli.run(["query", "--runner", tcp.shown.address], { input: "{ version }" })).exitCode).toBe(0);
    tcp.kill("SIGTERM");
    expect((await tcp.ended).exitCode).toBe(0);

    const certs = join(cli.home, "certs");
    expect((await cli.run(["certs", "create", certs, "--host", "127.0.0.1"])).exitCode).toBe(0);
    const tls = await startBridge("--listen", "tls://127.0.0.1:0", "--certs", certs);
    expect(tls.shown.address).toContain(`?ca_path=${certs}/ca.pem&cert_path=${certs}/client.pem&key_path=${certs}/client.pem`);
    const query = await cli.run(["query", "--runner", tls.shown.address], { input: "{ version }" });
    expect(query).toMatchObject({ exitCode: 0, stdout: '{\n    "version": "v0.21.8"\n}\n' });
    const stranger = await cli.run(["query", "--runner", tls.shown.address.replace(/&cert_path.*/, "")], { input: "{ version }" });
    expect(stranger).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("certificate") as string });
    tls.kill("SIGTERM");
    expect((await tls.ended).exitCode).toBe(0);
  });

  test("a second bridge on its socket is refused; after a kill the socket is taken over", async () => {
    const socket = join(cli.home, "b.sock");
    const first = await startBridge("--listen", `unix://${socket}`);
    const second = await cli.run(["bridge", "--runner", runner, "--listen", `unix://${socket}`]);
    expect(second).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("is taken already") as string });
    first.kill("SIGKILL");
    await first.ended;
    expect((await stat(socket)).isSocket()).toBe(true);
    const third = await startBridge("--listen", `unix://${socket}`);
    await new Promise<void>((resolve, reject) => connect(socket).once("connect", resolve).once("error", reject).unref());
    third.kill("SIGTERM");
    expect((await third.ended).exitCode).toBe(0);
    await expect(stat(socket)).rejects.toThrow(/ENOENT/);
  });

  test("what a killed bridge left is cleared away by the next one", async () => {
    const killed = await startBridge();
    killed.kill("SIGKILL");
    await killed.ended;
    const folder = dirname(killed.shown.address.replace("unix://", ""));
    expect((await stat(folder)).isDirectory()).toBe(true);
    expect((await cli.run(["bridge", "--runner", runner, "--exec", "--", "true"])).exitCode).toBe(0);
    await expect(stat(folder)).rejects.toThrow(/ENOENT/);
  });
});

test("anyrunner env names a bridge where official clients don't understand the runner", async () => {
  expect((await cli.run(["add", "lab", runner])).exitCode).toBe(0);
  const env = async (url: string) => (await cli.run(["env", "--shell", "bash", "--runner", url])).stdout.split("\n");
  expect(await env("npipe:////./pipe/engine")).toEqual(
    expect.arrayContaining([
      "# bridge: none runs, and official clients don't know npipe://; for them: anyrunner bridge --runner npipe:////./pipe/engine",
      "export _EXPERIMENTAL_DAGGER_RUNNER_HOST='npipe:////./pipe/engine'",
    ]),
  );
  expect((await env(runner)).some((line) => line.startsWith("# bridge"))).toBe(false);

  const running = await startBridge();
  const { bridges } = JSON.parse(await readFile(join(cli.home, ".local/state/anyrunner/bridges.json"), "utf8")) as { bridges: { address: string }[] };
  expect(bridges.map(({ address }) => address)).toEqual([running.shown.address]);
  running.kill("SIGTERM");
  await running.ended;
});

test.each([
  [["--exec"], "--exec needs a command"],
  [["true"], '"true" is unexpected'],
  [["--listen", "http://x"], "is no address to listen on"],
  [["--listen", "tcp://127.0.0.1:0"], "every user and program of this machine could use the engine"],
  [["--listen", "tcp://0.0.0.0:0", "--insecure-tcp"], "plain TCP would let everyone in"],
  [["--listen", "tls://127.0.0.1:0"], "there are no certificates for it"],
  [["--certs", "x"], "--certs is for tls:// alone"],
])("bridge %j is wrong usage", async (args, message) => {
  const result = await cli.run(["bridge", "--runner", runner, ...args]);
  expect([result.exitCode, result.stderr.includes(message)]).toEqual([2, true]);
});

test("inside a session there is nothing to bridge to", async () => {
  const result = await cli.run(["bridge"], { env: { DAGGER_SESSION_PORT: "1234", DAGGER_SESSION_TOKEN: "t" } });
  expect(result).toMatchObject({ exitCode: 1, stderr: expect.stringContaining("no engine to bridge to") as string });
});
