import { parseRunnerUrl, RunnerError } from "@anyrunner/core/driver";
import { ensureBusyboxImage, ensureConformanceImage } from "@anyrunner/testkit";
import { describe, expect, test } from "vitest";

import { createContainerCliDriver } from "./driver.ts";
import { createSite, podman, podmanEnv, podmanImages, runSite, skipReason } from "./test-podman.ts";

const driver = createContainerCliDriver("podman", { env: podmanEnv });
const target = async (url: string) => driver.parse(parseRunnerUrl(url));
const probe = async (name: string) => driver.probe(await target(`podman-container://${name}`), {});
const provision = async (name: string) => driver.provision(await target(`podman-container://${name}`), {});
const peer = () => ensureConformanceImage({ store: podmanImages });

describe.skipIf(skipReason !== undefined)(`existing containers, real Podman${skipReason === undefined ? "" : ` (${skipReason})`}`, () => {
  test("a missing container: the nearest name, and how to list", async () => {
    await using site = await runSite([await peer()]);
    const misspelt = site.name.replace("test", "tset");
    const expected = { code: "NOT_FOUND", hint: `did you mean "${site.name}"? \`podman ps -a\` lists the containers` };
    expect(await probe(misspelt)).toMatchObject({ available: false, reason: `Podman has no container "${misspelt}"`, ...expected });
    await expect(provision(misspelt)).rejects.toMatchObject({ ...expected, retryable: false, driver: "podman" });
  });

  test.each<[string, readonly string[], (name: string) => Promise<unknown>, RegExp, string]>([
    ["stopped", [], (name) => podman(["kill", name]), /is not running: it ended with exit code 137 at 20/, "start it: podman start NAME"],
    ["ended by itself", ["sh", "-c", "exit 3"], (name) => podman(["wait", name]), /it ended with exit code 3 at 20/, "start it: podman start NAME"],
    ["paused", [], (name) => podman(["pause", name]), /is paused/, "resume it: podman unpause NAME"],
  ])("a container that is %s is NOT_RUNNING", async (_state, command, bring, reason, hint) => {
    await using site = await runSite([await peer(), ...command]);
    const handle = command.length > 0 ? undefined : await provision(site.name);
    await bring(site.name);
    const expected = { code: "NOT_RUNNING", hint: hint.replace("NAME", site.name) };
    expect(await probe(site.name)).toMatchObject({ available: false, reason: expect.stringMatching(reason), ...expected });
    await expect(provision(site.name)).rejects.toMatchObject({ ...expected, retryable: false });
    if (handle !== undefined) await expect(driver.connect(handle, {})).rejects.toMatchObject({ ...expected, message: expect.stringMatching(reason) });
  });

  test("a container that was never started is NOT_RUNNING", async () => {
    await using site = createSite();
    await podman(["create", "--name", site.name, "--network", "none", await peer()]);
    expect(await probe(site.name)).toMatchObject({ code: "NOT_RUNNING", reason: expect.stringContaining("was never started") });
  });

  test("a container that was removed meanwhile is NOT_FOUND, by its name", async () => {
    const site = await runSite([await peer()]);
    const handle = await provision(site.name);
    await site.remove();
    await expect(driver.connect(handle, {})).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining(site.name) });
    expect(await driver.inspect?.(handle, {})).toEqual({ status: "missing" });
  });

  test("a container without an engine's relay is WRONG_SERVER and names the program", async () => {
    await using site = await runSite([await ensureBusyboxImage({ store: podmanImages }), "sleep", "3600"]);
    const handle = await provision(site.name);
    // Podman may say it before or after the container was looked at.
    const failure = driver.connect(handle, {}).then(
      async ({ stream, closed }) => {
        stream.resume();
        return (await closed).error;
      },
      (error: unknown) => error,
    );
    expect(await failure).toMatchObject({
      code: "WRONG_SERVER",
      message: `the container "${site.name}" has no program "buildctl"`,
      hint: expect.stringMatching(/./),
    });
  });

  test("by id, and by both schemes, it is the same runner; it is not ours", async () => {
    await using site = await runSite([await peer()]);
    const id = await podman(["container", "inspect", "--format", "{{.Id}}", site.name]);
    const handles = await Promise.all([site.name, id, id.slice(0, 12)].map(provision));
    const other = await driver.provision(await target(`container+podman://${site.name}`), {});
    expect([...handles, other]).toEqual(Array(4).fill({ driver: "podman", id, owned: false, labels: {}, endpoint: { container: id, name: site.name } }));
    await expect(driver.destroy?.(other, {})).rejects.toMatchObject({ code: "UNSUPPORTED", hint: `remove it yourself: podman rm -f ${site.name}` });
  });

  test("diagnostics of a relay that died: its exit code and standard error", async () => {
    await using site = await runSite([await peer()]);
    const connection = await driver.connect(await provision(site.name), {});
    connection.stream.resume().write("DIE\n");
    await connection.closed;
    expect(await connection.diagnostics()).toEqual({
      summary: `the container "${site.name}" is running`,
      startedAt: expect.stringMatching(/^20/),
      oomKilled: false,
      exitCode: 7,
      lastOutput: "the conformance peer was told to die\n",
    });
  });

  test("diagnostics of a container that was killed: its exit code and the end of its log", async () => {
    await using site = await runSite([await peer()]);
    const connection = await driver.connect(await provision(site.name), {});
    connection.stream.resume().write("ECHO\n");
    // It may be slower to its first word than we are to a relay.
    await expect.poll(() => podman(["logs", site.name])).toContain("ready");
    await site.kill();
    await connection.closed;
    await expect
      .poll(() => connection.diagnostics(), { timeout: 60_000 })
      .toMatchObject({
        summary: expect.stringContaining("it ended with exit code 137"),
        exitCode: 137,
        lastOutput: "the conformance peer is ready\n",
      });
    await site.remove();
    expect(await connection.diagnostics()).toMatchObject({ summary: `the container "${site.name}" is gone` });
  });

  test("the log of both streams, followed to a whole character", async () => {
    // Again and again: with `--tail`, Podman 4.3 loses a line that comes between what it reads and what it follows.
    const script = "while :; do echo out; echo err >&2; echo ümläut; sleep 0.2; done";
    await using site = await runSite([await peer(), "sh", "-c", script]);
    const handle = await provision(site.name);
    let text = "";
    for await (const chunk of driver.logs?.(handle, { follow: true }) ?? []) {
      text += chunk;
      if (["out\n", "err\n", "läut\n"].every((line) => text.split(line).length > 3)) break;
    }
    expect([...new Set(text.split("\n"))].toSorted()).toEqual(["", "err", "out", "ümläut"]);
  });

  test("lines of both streams stay whole", async () => {
    const script = "for i in $(seq 200); do echo out$i; echo err$i >&2; done; echo over; exec sleep 3600";
    await using site = await runSite([await peer(), "sh", "-c", script]);
    const handle = await provision(site.name);
    const read = async () => {
      let text = "";
      for await (const chunk of driver.logs?.(handle, { tail: 1000 }) ?? []) text += chunk;
      return text.trimEnd().split("\n");
    };
    // The last word of one stream may come before that of the other.
    await expect.poll(async () => (await read()).length).toBe(401);
    expect((await read()).filter((line) => !/^(out|err)\d+$|^over$/.test(line))).toEqual([]);
  });

  test("inspect tells image, start, and how it ended", async () => {
    await using site = await runSite([await peer()]);
    const handle = await provision(site.name);
    expect(await driver.inspect?.(handle, {})).toMatchObject({
      status: "running",
      image: expect.stringContaining("anyrunner-test-peer"),
      startedAt: expect.stringMatching(/^20/),
      details: { name: site.name, state: "running", restarts: 0 },
    });
    await site.kill();
    await podman(["wait", site.name]);
    expect(await driver.inspect?.(handle, {})).toMatchObject({ status: "stopped", exitCode: 137, oomKilled: false });
  });

  test("a connection that podman doesn't know is INVALID_CONFIG", async () => {
    const elsewhere = await target("podman-container://x?connection=no-such");
    expect(await driver.probe(elsewhere, {})).toMatchObject({ code: "INVALID_CONFIG", hint: expect.stringContaining("podman system connection list") });
    expect(RunnerError.is(await driver.provision(elsewhere, {}).catch((error: unknown) => error))).toBe(true);
  });
});
