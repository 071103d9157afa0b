import { randomUUID } from "node:crypto";

import { createDockerClient, readJson, resolveDockerEndpoint, type DockerClient } from "@anyrunner/docker-endpoint";
import { ensureConformanceEngineImage } from "@anyrunner/testkit";

export interface TestImage extends AsyncDisposable {
  readonly reference: string;
  /** What the official client and we put behind our prefixes. */
  readonly tag: string;
}

/** An image of its own tag, made from the one whose engine is the conformance peer, with `changes` such as `ENTRYPOINT […]`. */
export async function makeTestImage(changes: readonly string[] = ["LABEL anyrunner-test=1"]): Promise<TestImage> {
  const tag = `t${randomUUID().slice(0, 8)}`;
  const base = await ensureConformanceEngineImage();
  const client = await localClient();
  const container = await createPlain(client, base);
  try {
    await client.json({ method: "POST", path: "/commit", query: { container, repo: "anyrunner-test-derived", tag, changes: changes.join("\n") }, json: {} });
  } finally {
    await remove(client, `/containers/${container}`);
  }
  const reference = `anyrunner-test-derived:${tag}`;
  return {
    reference,
    tag,
    async [Symbol.asyncDispose]() {
      await remove(client, `/images/${reference}`);
      client.close();
    },
  };
}

/** The files of an image as one tar archive. */
export async function exportImage(reference: string): Promise<Buffer> {
  const client = await localClient();
  const container = await createPlain(client, reference);
  try {
    const { body } = await client.request({ path: `/containers/${container}/export` });
    const chunks: Buffer[] = [];
    for await (const chunk of body as AsyncIterable<Buffer>) chunks.push(chunk);
    return Buffer.concat(chunks);
  } finally {
    await remove(client, `/containers/${container}`);
    client.close();
  }
}

export async function removeImage(reference: string): Promise<void> {
  const client = await localClient();
  await remove(client, `/images/${reference}`);
  client.close();
}

/** Whether the local daemon has the image. */
export async function hasImage(reference: string): Promise<boolean> {
  const client = await localClient();
  try {
    const { status, body } = await client.request({ path: `/images/${reference}/json`, expect: [404] });
    body.resume();
    return status === 200;
  } finally {
    client.close();
  }
}

export async function localClient(): Promise<DockerClient> {
  return createDockerClient(await resolveDockerEndpoint({ env: process.env }));
}

async function createPlain(client: DockerClient, image: string): Promise<string> {
  const query = { name: `anyrunner-test-${randomUUID().slice(0, 8)}` };
  const { body } = await client.request({ method: "POST", path: "/containers/create", query, json: { Image: image, HostConfig: { NetworkMode: "none" } } });
  return (await readJson<{ readonly Id: string }>(body)).Id;
}

async function remove(client: DockerClient, path: string): Promise<void> {
  const { body } = await client.request({ method: "DELETE", path, query: { force: true }, expect: [404, 409] });
  body.resume();
}
