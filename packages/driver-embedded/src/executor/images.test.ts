import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";

import type { RunnerEvent } from "@anyrunner/core/driver";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { snapshotTag } from "./images.ts";
import { tarEnd, tarEntry } from "./tar-rewrite.ts";
import { createTestExecutor, remove, run, SKIP_DOCKER, type TestExecutor } from "./test-executor.ts";
import { makeTestImage, startTestRegistry, digestOf } from "./test-registry.ts";

test("a digest that is no tag is hashed", () => {
  expect(snapshotTag("sha256:abc")).toBe("sha256-abc");
  expect(snapshotTag("with space")).toMatch(/^[0-9a-f]{64}$/);
  expect(snapshotTag("x".repeat(129))).toMatch(/^[0-9a-f]{64}$/);
});

describe.skipIf(SKIP_DOCKER)("images on a real daemon", () => {
  let world: TestExecutor;
  const made: string[] = [];

  beforeAll(async () => {
    world = await createTestExecutor({
      credentials: async (registry) => (registry.startsWith("127.0.0.1") ? { username: "alice", secret: "wonder" } : undefined),
    });
  });
  afterAll(async () => {
    await world.executor.close();
    await world.expectNoContainers();
    for (const image of made) await remove(world.client, `/images/${image}`);
    await world.close();
  });

  test("an image is pulled with the login, with progress, and only once", async (context) => {
    // The test registry has no TLS: Docker takes that on loopback, Podman only where it is configured.
    if ((await world.executor.probe({})).engine === "podman") context.skip("Podman takes no registry without TLS");
    const image = makeTestImage(randomUUID());
    const registry = await startTestRegistry(image, { username: "alice", password: "wonder" });
    const reference = `${registry.host}/some/name:tag`;
    made.push(reference);
    const events: RunnerEvent[] = [];
    const resolved = await world.executor.resolveImage(reference, { report: (event) => events.push(event) });
    registry.close();
    expect(resolved).toMatchObject({
      snapshot: { image: digestOf(image.config), layers: 1 },
      reference: `${registry.host}/some/name@${image.manifestDigest}`,
      config: { env: ["FROM=registry"], workingDir: "/w", user: "", platform: "linux/amd64" },
    });
    expect(events.at(-1)).toMatchObject({ type: "progress", done: true, id: `pull ${reference}` });
    expect(await world.executor.resolveImage(reference, {})).toEqual(resolved);
  });

  test("an image that can't be pulled fails with the daemon's words, without the login", async () => {
    const registry = await startTestRegistry(makeTestImage("x"), { username: "alice", password: "other" });
    const refused = world.executor.resolveImage(`${registry.host}/some/name:tag`, {});
    await expect(refused).rejects.toMatchObject({ code: "IMAGE_PULL_FAILED", message: expect.stringContaining(`${registry.host}/some/name:tag`) });
    await expect(refused).rejects.not.toMatchObject({ message: expect.stringContaining("wonder") });
    registry.close();
    await expect(world.executor.resolveImage("127.0.0.1:1/none:1", {})).rejects.toMatchObject({
      code: "IMAGE_PULL_FAILED",
      message: expect.stringContaining("refused"),
    });
  });

  test("an image of another platform is taken when there is no other", async () => {
    const resolved = await world.executor.resolveImage(world.busybox.image, { platform: "linux/s390x" });
    expect(resolved.snapshot).toEqual(world.busybox);
  });

  test("an OCI layout is loaded, whatever the order of its files", async () => {
    const image = makeTestImage(randomUUID());
    const index = {
      schemaVersion: 2,
      manifests: [{ digest: image.manifestDigest, size: image.manifest.length, platform: { os: "linux", architecture: "amd64" } }],
    };
    const files: readonly (readonly [string, Buffer])[] = [
      ...[...image.blobs].map(([digest, data]) => [`blobs/${digest.replace(":", "/")}`, data] as const),
      ["oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
      ["index.json", Buffer.from(JSON.stringify(index))],
    ];
    for (const order of [files, files.toReversed()]) {
      const resolved = await world.executor.importArchive(archive(order), {});
      expect(resolved).toMatchObject({
        snapshot: { image: digestOf(image.config), layers: 1 },
        reference: digestOf(image.config),
        config: { env: ["FROM=registry"] },
      });
    }
    made.push(digestOf(image.config));
  });

  test("a Docker archive is loaded without moving anyone's tags", async () => {
    const image = makeTestImage(randomUUID());
    const before = await world.client.json<{ Id: string }>({ path: "/images/busybox:test/json" });
    const manifest = [{ Config: "config.json", RepoTags: ["busybox:test"], Layers: ["layer.tar"] }];
    const resolved = await world.executor.importArchive(
      archive([
        ["manifest.json", Buffer.from(JSON.stringify(manifest))],
        ["repositories", Buffer.from(JSON.stringify({ busybox: { test: "x" } }))],
        ["config.json", image.config],
        ["layer.tar", image.layer],
      ]),
      {},
    );
    made.push(resolved.snapshot.image);
    expect(resolved.snapshot.image).toBe(digestOf(image.config));
    expect((await world.client.json<{ Id: string }>({ path: "/images/busybox:test/json" })).Id).toBe(before.Id);
  });

  test("an archive without an image is refused", async () => {
    await expect(world.executor.importArchive(archive([["file", Buffer.from("x")]]), {})).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: "the archive holds no container image",
    });
  });

  test("what a step writes where the image declares a volume is in the snapshot", async () => {
    const reference = `anyrunner-test-volume:${randomUUID()}`;
    made.push(reference);
    const made1 = await world.client.request({
      method: "POST",
      path: `/images/create?fromSrc=-&changes=${encodeURIComponent("VOLUME /data")}`,
      body: Readable.from([tarEntry({ name: "data/old", mode: 0o644, contents: Buffer.from("old\n") }), tarEnd()], { objectMode: false }),
    });
    const id = /sha256:[0-9a-f]{64}/.exec(await text(made1.body))?.[0] as string;
    (
      await world.client.request({ method: "POST", path: `/images/${id}/tag`, query: { repo: reference.split(":")[0], tag: reference.split(":")[1] } })
    ).body.resume();
    const { snapshot } = await world.executor.resolveImage(reference, {});
    made.push(`anyrunner-embedded:plain-${snapshot.image.replace(":", "-")}`);
    const busybox = await world.open();
    const segment = await world.open(snapshot);
    await segment.put(await busybox.get("/bin/busybox", {}), "/", {});
    await run(segment, ["/busybox", "sh", "-c", "/busybox cp /data/old /data/new"]);
    const sealed = await segment.seal(world.digest(), {});
    expect(await text(await world.executor.read(sealed, "/data/new", {}))).toContain("old\n");
    await Promise.all([busybox.close(), segment.close()]);
  });

  test("a snapshot with very many layers becomes one", async () => {
    const segment = await world.open({ ...world.busybox, layers: 100 });
    await run(segment, "echo x >/f; chown 5:6 /f; chmod 4755 /f");
    const sealed = await segment.seal(world.digest(), {});
    await segment.close();
    expect(sealed.layers).toBe(1);
    const flat = await world.open(sealed);
    expect(await run(flat, "busybox stat -c '%a %u:%g' /f; busybox sh -c 'cat /f'")).toMatchObject({ exitCode: 0, stdout: "4755 5:6\nx\n" });
    await flat.close();
  });
});

function archive(files: readonly (readonly [string, Buffer])[]): Readable {
  return Readable.from([...files.map(([name, contents]) => tarEntry({ name, mode: 0o644, contents })), tarEnd()], { objectMode: false });
}
