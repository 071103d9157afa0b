import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { runProgram, spawnProgram } from "@anyrunner/exec";
import { afterEach, beforeEach, expect, test } from "vitest";

let project: string;
beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), "anyrunner-hostile-"));
});
afterEach(async () => {
  await rm(project, { recursive: true, force: true, maxRetries: 10 });
});

const core = join(import.meta.dirname, "../../core/src/index.ts");
const cli = join(import.meta.dirname, "../../../apps/cli/src/bin.ts");

/** A project whose dependency is a driver with this code, and that is trusted. */
async function withDriver(code: string): Promise<void> {
  const contents = {
    "package.json": { dependencies: { "anyrunner-driver-foo": "1" } },
    "node_modules/anyrunner-driver-foo/package.json": {
      name: "anyrunner-driver-foo",
      version: "1.0.0",
      type: "module",
      exports: "./index.js",
      anyrunner: { specVersion: 1, name: "foo", schemes: ["foo"] },
    },
    "node_modules/anyrunner-driver-foo/index.js": code,
  };
  for (const [name, content] of Object.entries(contents)) {
    await mkdir(dirname(join(project, name)), { recursive: true });
    await writeFile(join(project, name), typeof content === "string" ? content : JSON.stringify(content));
  }
}

const environment = () => ({ PATH: process.env["PATH"], HOME: project, ANYRUNNER_TRUST_DRIVERS: "all" });

const anyrunner = async (...args: readonly string[]) => {
  const env = environment();
  const { exitCode, stdout, stderr } = await runProgram({
    command: process.execPath,
    args: [cli, ...args],
    cwd: project,
    env,
    input: "{version}",
    timeoutMs: 120_000,
  });
  return { exitCode, stdout: stdout.toString(), stderr };
};

const driver = (members: string) => `export const driver = { specVersion: 1, name: "foo", schemes: ["foo", "unix"], capabilities: [], options: [],
  parse: (url) => ({ driver: "foo", url: url.scheme + "://" + url.body }), probe: async () => ({ available: true }),
  provision: async () => ({ driver: "foo", id: "x", endpoint: {}, owned: false, labels: {} }), connect: async () => { throw new Error("no"); }, ${members} };\n`;

test.each([
  ["throws at import", 'throw new Error("boom at import");', "DRIVER_INVALID", /anyrunner-driver-foo fails while it loads: boom at import/],
  ["exports nothing", "export {};", "DRIVER_INVALID", /anyrunner-driver-foo/],
  ["is for another interface", driver("specVersion: 2"), "SPEC_MISMATCH", /anyrunner-driver-foo has specVersion 2/],
  ["calls itself otherwise", driver('name: "docker"'), "DRIVER_INVALID", /anyrunner-driver-foo announces the driver .*foo.* but gives .*docker/],
  ["throws something of its own", driver('probe: async () => { throw new TypeError("odd") }'), "INTERNAL", /odd[^]*tell the author of the driver foo/],
])("a driver that %s: its scheme fails by name, others and --help are untouched", async (_, code, expected, message) => {
  await withDriver(code);
  const failed = await anyrunner("query", "--json", "--runner", "foo://x");
  expect(failed.exitCode).toBe(expected === "INTERNAL" ? 70 : 1);
  expect(failed.stdout + failed.stderr).toContain(expected);
  expect(failed.stdout + failed.stderr).toMatch(message);
  expect(await anyrunner("--help")).toMatchObject({ exitCode: 0, stderr: "" });
  const other = await anyrunner("query", "--json", "--runner", "unix:///no/such.sock");
  expect(other.stdout + other.stderr).toContain("there is no socket at unix:///no/such.sock");
});

test.each([
  [
    "answers nonsense",
    "probe: async () => undefined",
    "DRIVER_INVALID",
    /the driver foo \(anyrunner-driver-foo.*\), asked to probe foo:\/\/x, answers with something else/,
  ],
  ["gives a handle that is none", "provision: async () => ({})", "DRIVER_INVALID", /asked to find foo:\/\/x, answers with something else/],
  ["gives a connection that is none", "connect: async () => ({})", "DRIVER_INVALID", /asked to connect to foo:\/\/x, answers with something else/],
])("a driver that %s is refused by name", async (_, members, code, message) => {
  await withDriver(driver(members));
  const failed = await anyrunner("query", "--json", "--runner", "foo://x");
  expect(failed.stdout + failed.stderr).toContain(code);
  expect(failed.stdout + failed.stderr).toMatch(message);
});

test("a driver that says its secret: nobody sees it", async () => {
  await withDriver(
    driver(`options: [{ name: "token", type: "string", secret: true, help: "TOKEN." }],
    provision: async (target, { report }) => { report?.({ type: "warning", id: "x", message: "using s3cret-0123" }); throw new Error("s3cret-0123 refused"); }`),
  );
  const failed = await anyrunner("query", "--json", "--runner", "foo://x?token=s3cret-0123");
  expect(failed.stdout + failed.stderr).toContain("*** refused");
  expect(failed.stdout + failed.stderr).not.toContain("s3cret-0123");
});

test.each([
  ["while it loads", 'console.error("waiting"); await new Promise(() => {});'],
  ["when it is asked", driver('probe: () => { console.error("waiting"); return new Promise(() => {}); }')],
  ["when it is to connect", driver('connect: () => { console.error("waiting"); return new Promise(() => {}); }')],
])("a driver that never answers, %s: a signal ends the command all the same", async (_, code) => {
  await withDriver(code);
  const program = await spawnProgram({
    command: process.execPath,
    args: [cli, "query", "--runner", "foo://x"],
    cwd: project,
    env: environment(),
    stdio: "pipe",
  });
  program.stdin?.end("{version}");
  let said = "";
  for await (const chunk of program.stderr as AsyncIterable<Buffer>) {
    const waits = said.includes("waiting");
    said += chunk.toString();
    // A second one would end it anyhow.
    if (!waits && said.includes("waiting")) program.kill("SIGTERM");
  }
  expect(await program.exited).toMatchObject({ exitCode: 130 });
  expect(said).toMatch(/cancelled|aborted|interrupted/i);
});

test("a driver with a core of its own: its errors are ours, codes and hints included", async () => {
  await withDriver("");
  const copy = join(project, "core");
  await cp(dirname(core), copy, { recursive: true });
  const code = `import { RunnerError } from ${JSON.stringify(join(copy, "index.ts"))};
${driver('probe: async () => { throw new RunnerError("AUTH_FAILED", "from another core", { hint: "renew it" }) }')}`;
  await writeFile(join(project, "node_modules/anyrunner-driver-foo/index.js"), code);
  const failed = await anyrunner("query", "--json", "--runner", "foo://x");
  expect(failed.stdout + failed.stderr).toContain("AUTH_FAILED");
  expect(failed.stdout + failed.stderr).toContain("renew it");
});
