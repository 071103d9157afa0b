import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";

import { createRegistry, parseRunnerUrl, type RunnerDriver, type RunnerEvent } from "@anyrunner/core";
import { DRIVER_REQUESTS, DRIVER_VERBS, schemaProblem, type DriverVerb } from "@anyrunner/core/driver-protocol";
import { describe, expect, test } from "vitest";

import { describeProgram } from "./describe-program.ts";
import { createProgramDriver, loadProgramDriver } from "./driver.ts";
import type { ProgramSettings } from "./program-settings.ts";

const command = join(import.meta.dirname, "hostile.fixture.sh");
const settings = (env: Readonly<Record<string, string>> = {}, budgetMs = 60_000): ProgramSettings => {
  const verbs = ["describe", "parse", "probe", "provision", "connect", "inspect", "logs", "list"] as const;
  return { command, env: { ...process.env, ...env }, budgetsMs: Object.fromEntries(verbs.map((verb) => [verb, budgetMs])) };
};
const description = await describeProgram(settings());
const driverThat = (misdeed: string, env: Readonly<Record<string, string>> = {}, budgetMs?: number): RunnerDriver =>
  createProgramDriver({ ...settings({ MISDEED: misdeed, ...env }, budgetMs), description });
/** The same, as it is used: from a registry, which keeps the secrets of its URLs. */
const registered = (driver: RunnerDriver): Promise<RunnerDriver> =>
  createRegistry([{ name: driver.name, schemes: driver.schemes, origin: command, load: async () => driver }]).driver(driver.name);
const target = { driver: "hostile", url: "hostile://x", a: 1 };
const handle = { driver: "hostile", id: "one", endpoint: {}, owned: false, labels: {} };

test("the fixture itself answers rightly", async () => {
  const driver = await loadProgramDriver(settings());
  const found = await driver.provision(await driver.parse(parseRunnerUrl("hostile://x")), {});
  expect(found).toEqual(handle);
  const { stream, closed, kind } = await driver.connect(found, {});
  stream.end("echo");
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  expect([Buffer.concat(chunks).toString(), kind]).toEqual(["echo", "relay"]);
  expect(await closed).toEqual({ kind: "end" });
  let log = "";
  for await (const text of driver.logs?.(found, {}) ?? []) log += text;
  expect(log).toBe("first\nsecond\n");
});

test.each([
  ["both waits", { graceMs: 5000, drainMs: 0 }, { graceMs: 5000, drainMs: 0 }],
  ["only the grace, which is the drain's, too", { graceMs: 5000 }, { graceMs: 5000, drainMs: 5000 }],
  ["nothing", {}, { graceMs: 600_000, drainMs: 600_000 }],
])("stop given %s asks the program with both, and its budget has room for both", async (_, options, waits) => {
  await inFolder(async (folder) => {
    const asked = join(folder, "asked");
    await driverThat("", { ASKED: asked }).stop?.(handle, options);
    expect(JSON.parse(await readFile(asked, "utf8"))).toEqual({
      verb: "stop",
      protocol: 1,
      budgetMs: 30_000 + waits.graceMs + waits.drainMs,
      handle,
      ...waits,
    });
  });
});

test("every request is what the published schema says, secrets included", async () => {
  await inFolder(async (folder) => {
    const asked = join(folder, "asked");
    const driver = await registered(await loadProgramDriver(settings({ ASKED: asked })));
    const found = await driver.parse(parseRunnerUrl("hostile://me:p%4055word@x?token=s3cret-01"));
    await driver.probe(found, {});
    const owner = await driver.provision(found, { waitMs: 0 });
    (await driver.connect(owner, {})).stream.destroy();
    await driver.inspect?.(owner, {});
    for await (const _ of driver.logs?.(owner, {}) ?? []) continue;
    await driver.start?.(owner, {});
    await driver.stop?.(owner, {});
    await driver.destroy?.(owner, {});
    await driver.list?.({});
    const requests = (await readFile(asked, "utf8"))
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { readonly verb: DriverVerb; readonly secrets?: object });
    expect(requests.map(({ verb }) => verb)).toEqual(DRIVER_VERBS);
    expect(requests.filter((request) => "waitMs" in request)).toMatchObject([{ verb: "provision", waitMs: 0 }]);
    for (const request of requests) {
      const { verb, secrets } = request;
      expect([verb, schemaProblem(DRIVER_REQUESTS[verb], request)]).toEqual([verb, undefined]);
      const hasUrl = !["describe", "parse", "list"].includes(verb);
      expect([verb, secrets]).toEqual([verb, hasUrl ? { password: "p@55word", options: { token: ["s3cret-01"] } } : undefined]);
    }
  });
});

describe("a program that", () => {
  test.each([
    ["never answers", "silent", "TIMEOUT", 300],
    ["never answers and ignores SIGTERM", "stubborn", "TIMEOUT", 300],
    ["sends events for ever", "events", "TIMEOUT", 300],
    // It must have come so far before its budget is over.
    ["closes its output and stays", "closes output", "DRIVER_INVALID", 60_000],
  ])("%s is ended, and its name is told", async (_, misdeed, code, budgetMs) => {
    const error: unknown = await driverThat(misdeed, {}, budgetMs)
      .probe(target, { report: () => {} })
      .catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code,
      message: expect.stringContaining(command),
      driver: "hostile",
    });
  });

  test.each([
    ["answers garbage", "garbage", "is no JSON"],
    ["answers a gigabyte", "gigabyte", "longer than 1048576 bytes"],
    ["dies", "dies", "ended with exit code 3 before it answered probe; it wrote: segmentation fault, sort of"],
    ["makes up an error code", "unknown code", "the error code MADE_UP"],
  ])("%s is refused, and its name is told", async (_, misdeed, message) => {
    const before = process.memoryUsage().rss;
    await expect(driverThat(misdeed).probe(target, {})).rejects.toMatchObject({
      code: "DRIVER_INVALID",
      driver: "hostile",
      message: expect.stringContaining(message),
    });
    await expect(driverThat(misdeed).probe(target, {})).rejects.toThrow(command);
    expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
  });

  test.each([
    ["speaks a later protocol", "later protocol", "SPEC_MISMATCH"],
    ["is for a later interface", "later interface", "SPEC_MISMATCH"],
    ["describes an option without help", "contradiction", "DRIVER_INVALID"],
  ])("%s is refused as it is loaded", async (_, misdeed, code) => {
    await expect(loadProgramDriver(settings({ MISDEED: misdeed }))).rejects.toMatchObject({ code, message: expect.stringContaining(command) });
  });

  test("is not there, or may not be executed", async () => {
    await expect(loadProgramDriver({ command: "/no/such/driver" })).rejects.toMatchObject({
      code: "NOT_AVAILABLE",
      message: expect.stringContaining("/no/such/driver"),
    });
    await expect(loadProgramDriver({ command: import.meta.filename })).rejects.toMatchObject({ code: "PERMISSION_DENIED" });
  });

  test("says its secret: nobody sees it", async () => {
    const secret = "s3cret-0123456789abcdef";
    const driver = await registered(driverThat("says its secret", { VERB: "probe" }));
    const found = await driver.parse(parseRunnerUrl(`hostile://x?token=${secret}`));
    const seen: unknown[] = [found];
    seen.push(await driver.probe(found, { report: (event: RunnerEvent) => void seen.push(event) }).catch((error: unknown) => error));
    expect(inspect(seen, { depth: 9 })).not.toContain(secret);
    expect(inspect(seen)).toContain("token *** refused");
  });

  test("names an address with its secret in it: nobody sees it", async () => {
    const secret = "s3cret-0123456789abcdef";
    const driver = await registered(driverThat("names its secret", { VERB: "connect" }));
    const found = await driver.provision(await driver.parse(parseRunnerUrl(`hostile://x?token=${secret}`)), {});
    const error: unknown = await driver.connect(found, {}).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("/no/such/***.sock") });
    expect(inspect(error, { depth: 9 })).not.toContain(secret);
  });

  test.each(["parse", "provision"])("puts its secret into what %s gives is refused", async (verb) => {
    const secret = "s3cret-0123456789abcdef";
    const driver = await registered(driverThat("stores its secret", { VERB: verb }));
    const outcome = (async () => driver.provision(await driver.parse(parseRunnerUrl(`hostile://x?token=${secret}`)), {}))();
    const error: unknown = await outcome.catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      code: "DRIVER_INVALID",
      message: expect.stringMatching(/hostile\.fixture\.sh\) puts a secret of hostile:\/\/x\?token=\*\*\* into its/),
    });
    expect(inspect(error, { depth: 9 })).not.toContain(secret);
  });

  test("leaves children behind: they are ended with it", async () => {
    await withPids(async (file) => {
      await driverThat("forks", { PIDS: file, VERB: "probe" }).probe(target, {});
    });
  });

  test("dies in mid-stream, with a child that holds the stream open: closed says so, what came is there, the child is gone", async () => {
    await withPids(async (file) => {
      const { stream, closed, diagnostics } = await driverThat("dies in mid-stream", { PIDS: file, VERB: "connect" }).connect(handle, {});
      expect(await closed).toMatchObject({ kind: "error", error: { code: "CONNECTION_LOST", message: `the driver ${command} ended with exit code 9` } });
      expect(await diagnostics()).toMatchObject({ exitCode: 9, lastOutput: "lost power\n" });
      expect((await stream.take(1).toArray()).toString()).toBe("half of it");
    });
  });

  test("names an address where nothing is", async () => {
    await expect(driverThat("no listener").connect(handle, {})).rejects.toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining("/no/such/hostile.sock"),
    });
  });

  test("fails in the middle of a log", async () => {
    const read = async () => {
      let log = "";
      for await (const text of driverThat("fails in the log").logs?.(handle, {}) ?? []) log += text;
      return log;
    };
    await expect(read()).rejects.toMatchObject({
      code: "DRIVER_INVALID",
      message: expect.stringMatching(/exit code 4 in the middle of the log; it wrote: disk full$/),
    });
  });
});

/** Runs `work` with a file for process ids, and waits until that process is gone. */
async function withPids(work: (file: string) => Promise<void>): Promise<void> {
  await inFolder(async (folder) => {
    const file = join(folder, "pids");
    await work(file);
    const pid = Number((await readFile(file, "utf8")).trim());
    await expect.poll(() => isAlive(pid)).toBe(false);
  });
}

async function inFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-hostile-"));
  try {
    await work(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** One that nobody has waited for yet is dead all the same. */
async function isAlive(pid: number): Promise<boolean> {
  const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
  return state !== "" && !/\) [ZX] /.test(state);
}
