import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";

import { extract, pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { tarEnd, tarEntry } from "./tar-rewrite.ts";
import { createTestExecutor, remove, run, SKIP_DOCKER, type TestExecutor } from "./test-executor.ts";

describe.skipIf(SKIP_DOCKER)("snapshots on a real daemon", () => {
  let world: TestExecutor;

  beforeAll(async () => {
    world = await createTestExecutor();
  });
  afterAll(async () => {
    await world.executor.close();
    await world.expectNoContainers();
    await world.close();
  });

  test("a sealed state is found by its digest and can be started from", async () => {
    const digest = world.digest();
    const segment = await world.open();
    await run(segment, "echo one >/file");
    const sealed = await segment.seal(digest, {});
    expect(sealed).toEqual({ image: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), layers: 2 });
    await run(segment, "echo two >/file");
    await segment.close();
    expect(await world.executor.find(digest, {})).toEqual(sealed);
    expect(await world.executor.find(`${digest}-other`, {})).toBeUndefined();
    const next = await world.open(sealed);
    expect(await run(next, "cat /file")).toMatchObject({ stdout: "one\n" });
    await next.close();
  });

  test("a state that did not change is the snapshot it came from", async () => {
    const digest = world.digest();
    const segment = await world.open();
    expect(await segment.seal(digest, {})).toEqual(world.busybox);
    expect(await world.executor.find(digest, {})).toEqual(world.busybox);
    await run(segment, "echo >/f");
    const sealed = await segment.seal(world.digest(), {});
    expect(sealed).not.toEqual(world.busybox);
    expect(await segment.seal(world.digest(), {})).toEqual(sealed);
    await segment.close();
  });

  test("nothing of a step's environment, command or user is in the image", async () => {
    const segment = await world.open();
    await run(segment, "true # hidden-command", { env: ["PATH=/bin", "SECRET=hidden-value"], user: "7:8", workingDir: "/hidden-folder" });
    const { image } = await segment.seal(world.digest(), {});
    await segment.close();
    const known = JSON.stringify(await world.client.json({ path: `/images/${image}/json` }));
    expect(known).not.toMatch(/hidden|SECRET/);
  });

  test("files go in and out, links and modes included", async () => {
    const segment = await world.open();
    const tar = pack();
    tar.entry({ name: "d", type: "directory", mode: 0o750, uid: 5, gid: 6 });
    tar.entry({ name: "d/f", mode: 0o4751, uid: 7, gid: 8 }, "contents");
    tar.entry({ name: "d/l", type: "symlink", linkname: "f" });
    tar.finalize();
    await segment.put(Readable.from(tar, { objectMode: false }), "/new/place", {});
    expect((await run(segment, "cd /new/place; busybox stat -c '%a %u:%g %n' d d/f d/l; cat d/l")).stdout).toBe(
      "750 5:6 d\n4751 7:8 d/f\n777 0:0 d/l\ncontents",
    );
    expect(await names(await segment.get("/new/place/d", {}))).toEqual(["d", "d/f", "d/l"]);
    await expect(segment.get("/nothing/here", {})).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await run(segment, "true")).toMatchObject({ exitCode: 0 });
    await segment.close();
  });

  test("trees are removed, missing ones are fine, links are not followed", async () => {
    const segment = await world.open();
    await run(
      segment,
      "mkdir -p /a/b/c /keep; echo x >/a/b/f; echo y >/keep/f; ln -s /keep /a/l; cd /a; i=0; while [ $i -lt 700 ]; do echo >file-with-a-long-name-$i; i=$((i+1)); done",
    );
    await segment.remove(["/a", "/keep/nothing", "/none/at/all", "/keep/f/below"], {});
    expect((await run(segment, "ls /a; ls /keep")).stdout).toBe("f\n");
    await expect(segment.remove(["/"], {})).rejects.toMatchObject({ code: "INTERNAL" });
    await segment.close();
  });

  test("an image that holds nothing at all can run a program put into it", async () => {
    const digest = world.digest();
    const empty = await world.executor.importTree(
      { digest, tar: () => Readable.from([tarEntry({ name: "only", mode: 0o644, contents: Buffer.from("x") }), tarEnd()], { objectMode: false }) },
      {},
    );
    const source = await world.open();
    const segment = await world.open(empty);
    await segment.put(await source.get("/bin/busybox", {}), "/", {});
    expect(await run(segment, ["/busybox", "cat", "/only"])).toMatchObject({ exitCode: 0, stdout: "x" });
    await segment.remove(["/busybox"], {});
    const sealed = await segment.seal(world.digest(), {});
    expect(await topLevel(await world.executor.read(sealed, "/", {}))).not.toContain("busybox");
    await Promise.all([source.close(), segment.close()]);
  });

  test("a tree is imported once per digest", async () => {
    const digest = world.digest();
    let calls = 0;
    const tar = () => {
      calls += 1;
      return Readable.from([tarEntry({ name: "f", mode: 0o600, contents: Buffer.from("tree") }), tarEnd()], { objectMode: false });
    };
    const [first, second] = await Promise.all([world.executor.importTree({ digest, tar }, {}), world.executor.importTree({ digest, tar }, {})]);
    const third = await world.executor.importTree({ digest, tar }, {});
    expect([second, third]).toEqual([first, first]);
    expect(calls).toBe(1);
    expect(await names(await world.executor.read(first, "/f", {}))).toEqual(["f"]);
    await expect(world.executor.read(first, "/etc/hosts", {})).rejects.toMatchObject({ code: "NOT_FOUND" });
    expect(await topLevel(await world.executor.read(first, "/", {}))).not.toContain(".dockerenv");
  });

  test("a tree whose source breaks is no snapshot", async () => {
    const digest = world.digest();
    const tar = () =>
      Readable.from(
        (async function* () {
          yield tarEntry({ name: "f", mode: 0o600, contents: Buffer.from("tree") });
          throw new Error("source broke");
        })(),
        { objectMode: false },
      );
    await expect(world.executor.importTree({ digest, tar }, {})).rejects.toThrow();
    expect(await world.executor.find(digest, {})).toBeUndefined();
  });

  test("removing a folder leaves alone what is mounted in it, and the folder goes with the mount", async () => {
    const volume = `anyrunner-cache-test-${randomUUID()}`;
    const segment = await world.open(world.busybox, { mounts: [{ kind: "cache", path: "/a/b/cache", volume }] });
    await run(segment, "echo cached >/a/b/cache/f; echo x >/a/x; echo y >/a/b/y");
    await segment.remove(["/a"], {});
    expect((await run(segment, "busybox find /a")).stdout).toBe("/a\n/a/b\n/a/b/cache\n/a/b/cache/f\n");
    const sealed = await segment.seal(world.digest(), {});
    await segment.close();
    const plain = await world.open(sealed);
    expect(await run(plain, "ls -d /a")).toMatchObject({ exitCode: 1 });
    await plain.close();
    await world.settled();
    await remove(world.client, `/volumes/${volume}`);
  });

  test("a temporary mount is empty for each command", async () => {
    const segment = await world.open(world.busybox, { mounts: [{ kind: "tmpfs", path: "/t" }] });
    await run(segment, "mkdir -p /t/a/b; echo x >/t/a/b/f; echo y >/t/.g");
    expect(await run(segment, "ls -A /t; ls -ld /t")).toMatchObject({ exitCode: 0, stdout: expect.stringMatching(/^drwxrwxrwt/) });
    await segment.close();
  });

  test("a segment goes on in a new container after a long seal", async () => {
    const eager = await createTestExecutor({ renewAfterMs: 0 });
    const segment = await eager.open(eager.busybox, { mounts: [{ kind: "tmpfs", path: "/t" }] });
    await run(segment, "echo one >/f");
    const first = await segment.seal(eager.digest(), {});
    const [before] = await eager.containers();
    await run(segment, "echo two >>/f; cat /f");
    expect(await eager.containers()).not.toEqual([before]);
    expect((await run(segment, "cat /f; ls -d /t")).stdout).toBe("one\ntwo\n/t\n");
    expect(await segment.seal(eager.digest(), {})).toMatchObject({ layers: first.layers + 1 });
    await segment.close();
    await eager.executor.close();
    await eager.expectNoContainers();
    await eager.close();
  });

  test("mounts keep their contents out of snapshots and leave no folder behind", async () => {
    const volume = `anyrunner-cache-test-${randomUUID()}`;
    const mounts = [
      { kind: "cache", path: "/cache/deep/x", volume },
      { kind: "tmpfs", path: "/temp", sizeBytes: 1_000_000 },
      { kind: "tmpfs", path: "/bin/here" },
    ] as const;
    const segment = await world.open(world.busybox, { mounts });
    await run(segment, "echo cached >/cache/deep/x/f; echo gone >/temp/f; echo kept >/f");
    const sealed = await segment.seal(world.digest(), {});
    await segment.close();
    expect(await topLevel(await world.executor.read(sealed, "/", {}))).not.toContain("cache");
    await expect(world.executor.read(sealed, "/cache", {})).rejects.toMatchObject({ code: "NOT_FOUND" });
    const plain = await world.open(sealed);
    expect((await run(plain, "ls -d /cache /temp /bin/here; cat /f")).stdout).toBe("kept\n");
    await plain.close();
    const again = await world.open(sealed, { mounts });
    expect((await run(again, "cat /cache/deep/x/f; ls /temp")).stdout).toBe("cached\n");
    await again.close();
    await world.settled();
    await remove(world.client, `/volumes/${volume}`);
    const volumes = await world.client.json<{ readonly Volumes: readonly { readonly Name: string }[] | null }>({ path: "/volumes" });
    expect((volumes.Volumes ?? []).map(({ Name }) => Name)).not.toContain(volume);
  });
});

async function names(tar: Readable): Promise<readonly string[]> {
  const found: string[] = [];
  const reader = extract();
  reader.end(await buffer(tar));
  for await (const entry of reader) {
    found.push(entry.header.name.replace(/(?<=.)\/$/, ""));
    entry.resume();
  }
  return found;
}

async function topLevel(tar: Readable): Promise<readonly string[]> {
  const paths = (await names(tar)).map((name) => name.replace(/^\//, "").split("/")[0] ?? "");
  return [...new Set<string>(paths)];
}
