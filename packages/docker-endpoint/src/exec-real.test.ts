import { randomUUID } from "node:crypto";

import { ensureBusyboxImage, expectNothingLeft, takeInventory } from "@anyrunner/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createDockerClient, type DockerClient } from "./docker-client.ts";
import { openExecStream } from "./exec-stream.ts";
import { resolveDockerEndpoint } from "./resolve-endpoint.ts";

const skip = process.env["ANYRUNNER_TEST_DOCKER"] === "skip";

describe.skipIf(skip)(`exec on the real daemon${skip ? " (ANYRUNNER_TEST_DOCKER=skip)" : ""}`, () => {
  const name = `anyrunner-test-${randomUUID().slice(0, 8)}`;
  let client: DockerClient;

  beforeAll(async () => {
    client = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
    const image = await ensureBusyboxImage();
    await client.json({
      method: "POST",
      path: "/containers/create",
      query: { name },
      json: { Image: image, Cmd: ["sleep", "3600"], HostConfig: { NetworkMode: "none" } },
    });
    await client.request({ method: "POST", path: `/containers/${name}/start` });
  });
  afterAll(async () => {
    await client.request({ method: "DELETE", path: `/containers/${name}`, query: { force: true }, expect: [404] });
    client.close();
  });

  const open = (...command: string[]) => openExecStream(client, { container: name, command, graceMs: 500 });

  /** Programs beside the container's own, and execs that the daemon keeps. */
  async function leftovers(): Promise<number> {
    const [{ Processes: processes }, { ExecIDs: execIds }] = await Promise.all([
      client.json<{ readonly Processes: readonly unknown[] }>({ path: `/containers/${name}/top` }),
      client.json<{ readonly ExecIDs: readonly string[] | null }>({ path: `/containers/${name}/json` }),
    ]);
    return processes.length - 1 + (execIds?.length ?? 0);
  }

  test("bytes go both ways, half-close, exit code", async () => {
    const { stream, closed, exitCode } = await open("cat");
    const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => index % 251));
    stream.end(bytes);
    expect(Buffer.concat(await stream.toArray()).equals(bytes)).toBe(true);
    expect(await closed).toEqual({ kind: "end" });
    expect(await exitCode()).toBe(0);
  });

  test("standard error stays apart, the exit code is the program's", async () => {
    const { stream, closed, exitCode, stderrTail } = await open("sh", "-c", "echo out; echo err >&2; exit 3");
    expect((await stream.toArray()).join("")).toBe("out\n");
    await closed;
    expect(stderrTail()).toBe("err\n");
    expect(await exitCode()).toBe(3);
  });

  test.each([
    ["no-such-program", "NOT_FOUND"],
    ["/etc", "PERMISSION_DENIED"],
  ])("%s is %s", async (program, code) => {
    const { stream, closed } = await open(program);
    stream.on("error", () => undefined).resume();
    expect(await closed).toMatchObject({ kind: "error", error: { code, details: { program, exitCode: 126 } } });
  });

  test("destroy ends a program that waits for input", async () => {
    const before = await takeInventory();
    const { stream, released } = await open("cat");
    stream.destroy();
    await released;
    await expectNothingLeft(before, { extra: leftovers });
  });

  test("destroy kills a program that doesn't care, and its children", async () => {
    const before = await takeInventory();
    const { stream, released } = await open("sh", "-c", "trap '' TERM HUP; sleep 1000 & sleep 1001");
    stream.destroy();
    await released;
    await expectNothingLeft(before, { extra: leftovers });
  });

  test("an abort at any moment leaves neither program nor exec", async () => {
    const before = await takeInventory();
    for (let turns = 0; turns < 12; turns++) {
      const controller = new AbortController();
      // A dozen at once: a busy daemon takes long to make and start what nobody waits for any more.
      const opened = openExecStream(client, { container: name, command: ["cat"], signal: controller.signal, graceMs: 30_000 }).then(
        ({ stream }) => void stream.destroy(),
        (error: unknown) => expect(error).toMatchObject({ code: "ABORTED" }),
      );
      for (let turn = 0; turn < turns * turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      controller.abort();
      await opened;
    }
    await expectNothingLeft(before, { extra: leftovers, budgetMs: 180_000 });
  });

  test("a missing container is NOT_FOUND", async () => {
    await expect(openExecStream(client, { container: "anyrunner-test-none", command: ["cat"] })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});
