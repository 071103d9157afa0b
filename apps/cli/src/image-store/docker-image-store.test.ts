import { randomBytes } from "node:crypto";
import { Readable } from "node:stream";

import { createDockerClient, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";
import { ensureBusyboxImage } from "@anyrunner/testkit";
import { describe, expect, onTestFinished, test } from "vitest";

import { createDockerImageStore } from "./docker-image-store.ts";

describe.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")("images of the Docker daemon (left out with ANYRUNNER_TEST_DOCKER=skip)", () => {
  const signal = new AbortController().signal;
  const env = process.env;

  async function idOf(name: string): Promise<string | undefined> {
    const client = createDockerClient(await resolveDockerEndpoint({ env }));
    onTestFinished(() => client.close());
    const { status, body } = await client.request({ path: `/images/${encodeURIComponent(name)}/json`, expect: [404] });
    const { Id: id } = JSON.parse(Buffer.concat(await body.toArray()).toString()) as { readonly Id?: string };
    return status === 404 ? undefined : id;
  }

  async function remove(name: string): Promise<void> {
    const client = createDockerClient(await resolveDockerEndpoint({ env }));
    (await client.request({ method: "DELETE", path: `/images/${encodeURIComponent(name)}`, expect: [404] })).body.resume();
    client.close();
  }

  test("what is saved can be loaded under another name", async () => {
    const source = await ensureBusyboxImage();
    const store = createDockerImageStore({ env });
    const name = `registry.example:5000/anyrunner-test-store/app:${randomBytes(4).toString("hex")}`;
    onTestFinished(() => remove(name));
    await store.load(Readable.from(await store.save({ name: source, signal }), { objectMode: false }), { name, signal });
    expect(await idOf(name)).toBe(await idOf(source));
  });

  test("an image that isn't there is named", async () => {
    const saving = createDockerImageStore({ env }).save({ name: "anyrunner-test-store/none:1", signal });
    await expect(saving).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("anyrunner-test-store/none:1") });
  });

  test("what is no image is refused", async () => {
    const loading = createDockerImageStore({ env }).load(Readable.from([Buffer.alloc(1024)]), { name: "anyrunner-test-store/none:1", signal });
    await expect(loading).rejects.toMatchObject({ code: expect.any(String) });
    expect(await idOf("anyrunner-test-store/none:1")).toBeUndefined();
  });
});

test("no container engine is an error with the first image, not before", async () => {
  const store = createDockerImageStore({ env: { DOCKER_HOST: "unix:///none/at/all.sock" } });
  const saving = store.save({ name: "app:1", signal: new AbortController().signal });
  await expect(saving).rejects.toMatchObject({ code: "CONNECTION_REFUSED" });
});
