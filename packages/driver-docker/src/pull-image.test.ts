import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RunnerEvent } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import { ensureConformanceEngineImage, startTestRegistry, type TestRegistry } from "@anyrunner/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { pullImage } from "./pull-image.ts";
import { skipReason } from "./test-container.ts";
import { exportImage, hasImage, localClient, removeImage } from "./test-image.ts";

const LOGIN = { username: "puller", password: "pull-5ecret" };

describe.skipIf(skipReason !== undefined)(`pull by a real daemon${skipReason === undefined ? "" : ` (${skipReason})`}`, () => {
  let client: DockerClient;
  let open: TestRegistry;
  let closed: TestRegistry;
  let folder: string;
  beforeAll(async () => {
    client = await localClient();
    const image = { layer: await exportImage(await ensureConformanceEngineImage()), entrypoint: ["/usr/bin/wait-for-stop"] };
    open = await startTestRegistry(image);
    closed = await startTestRegistry({ ...image, login: LOGIN });
    folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  });
  afterAll(async () => {
    for (const { host } of [open, closed]) await removeImage(`${host}/engine:v1`);
    await open[Symbol.asyncDispose]();
    await closed[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
    client.close();
  });

  async function pull(reference: string, config: object, signal?: AbortSignal): Promise<readonly RunnerEvent[]> {
    await writeFile(join(folder, "config.json"), JSON.stringify(config));
    const events: RunnerEvent[] = [];
    await pullImage(client, reference, { env: { ...process.env, DOCKER_CONFIG: folder }, report: (event) => events.push(event), signal });
    return events;
  }
  const auth = (password: string) => ({ auths: { [closed.host]: { auth: Buffer.from(`${LOGIN.username}:${password}`).toString("base64") } } });

  test("of a public image, with progress; a helper that is missing breaks nothing, and isn't worth a word", async () => {
    const events = await pull(`${open.host}/engine:v1`, { credsStore: "no-such-helper" });
    expect(await hasImage(`${open.host}/engine:v1`)).toBe(true);
    expect(events.filter(({ type }) => type === "warning")).toEqual([]);
    expect(events.at(-1)).toEqual({ type: "progress", id: "image-pull", message: `pulling ${open.host}/engine:v1`, done: true });
  });

  test("with the login of Docker's configuration", async () => {
    await pull(`${closed.host}/engine:v1`, auth(LOGIN.password));
    expect(await hasImage(`${closed.host}/engine:v1`)).toBe(true);
    expect(closed.requests.some((line) => line.endsWith(" puller"))).toBe(true);
  });

  test.each([
    ["without a login", {}, "log in: docker login"],
    ["with a helper that is missing", { credsStore: "no-such-helper" }, "docker-credential-no-such-helper is not installed: install it"],
    ["with a wrong one", auth.bind(undefined, "wrong-5ecret"), "renew the login: docker login"],
  ])("%s: IMAGE_PULL_FAILED says what to do", async (_name, config, hint) => {
    await removeImage(`${closed.host}/engine:v1`);
    const error: unknown = await pull(`${closed.host}/engine:v1`, typeof config === "function" ? config() : config).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ code: "IMAGE_PULL_FAILED", message: expect.stringContaining(closed.host), hint: expect.stringContaining(hint) });
    expect(JSON.stringify(error)).not.toContain("5ecret");
  });

  test.each([
    ["a tag that isn't there", () => `${open.host}/engine:v2`, "check name, tag and platform of the image"],
    ["a registry that isn't there", () => "127.0.0.1:1/engine:v1", "check whether the Docker daemon reaches 127.0.0.1:1"],
  ])("%s: IMAGE_PULL_FAILED says what to do", async (_name, reference, hint) => {
    await expect(pull(reference(), {})).rejects.toMatchObject({
      code: "IMAGE_PULL_FAILED",
      message: expect.stringContaining(reference()),
      hint: expect.stringContaining(hint),
    });
  });

  test("cancelled: ABORTED", async () => {
    await expect(pull(`${open.host}/engine:v1`, {}, AbortSignal.abort())).rejects.toMatchObject({ code: "ABORTED" });
    const controller = new AbortController();
    const outcome = pull(`${open.host}/engine:v2`, {}, controller.signal).catch((error: unknown) => error);
    controller.abort();
    expect(await outcome).toMatchObject({ code: "ABORTED" });
  });
});
