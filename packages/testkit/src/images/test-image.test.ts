import { execFile } from "node:child_process";
import { mkdtemp, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { makeBusyboxRootfs } from "./busybox-rootfs.ts";
import { tarFolder } from "./tar-archive.ts";
import { ensureBusyboxImage, ensureConformanceImage, type ImageStore } from "./test-image.ts";

const run = promisify(execFile);
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "test-image-"));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe("makeBusyboxRootfs", () => {
  test("makes a root in which a shell and its programs run", async () => {
    await makeBusyboxRootfs(directory, { files: { "/usr/bin/hello": "#!/bin/sh\necho hello from $1\n" } });
    expect(await readlink(join(directory, "bin/sh"))).toBe("/bin/busybox");
    expect((await stat(join(directory, "usr/bin/hello"))).mode & 0o777).toBe(0o755);
    expect((await stat(join(directory, "tmp"))).mode & 0o7777).toBe(0o1777);
  });

  test.each([
    ["a program that needs a loader", process.execPath, /linked dynamically/],
    ["a file that is missing", "/no/such/busybox", /install a static one/],
  ])("refuses %s", async (_, busybox, message) => {
    await expect(makeBusyboxRootfs(directory, { busybox })).rejects.toThrow(message);
  });
});

test("tarFolder writes what tar reads", async () => {
  await makeBusyboxRootfs(join(directory, "root"), { files: { "/etc/motd": "hi\n", "/opt/empty": "" } });
  await writeFile(join(directory, "root.tar"), await tarFolder(join(directory, "root")));
  const { stdout } = await run("tar", ["-tvf", join(directory, "root.tar")], { maxBuffer: 1 << 24 });
  expect(stdout).toMatch(/^drwxrwxrwt 0\/0 .* tmp\/$/m);
  expect(stdout).toMatch(/^lrwxrwxrwx 0\/0 .* bin\/sh -> \/bin\/busybox$/m);
  expect(stdout).toMatch(/^-rw-r--r-- 0\/0 +3 .* etc\/motd$/m);
  const { stdout: text } = await run("tar", ["-xOf", join(directory, "root.tar"), "etc/motd"]);
  expect(text).toBe("hi\n");
});

test("whoever comes while an image is made waits for it", async () => {
  let made = 0;
  const store: ImageStore = {
    has: async () => made > 0,
    async add() {
      await new Promise(setImmediate);
      made++;
    },
  };
  await Promise.all(Array.from({ length: 4 }, () => ensureBusyboxImage({ store })));
  expect(made).toBe(1);
});

describe.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")("images in a real daemon (ANYRUNNER_TEST_DOCKER=skip leaves them out)", () => {
  test("are made once", async () => {
    expect(await ensureBusyboxImage()).toBe("busybox:test");
    const reference = await ensureConformanceImage();
    expect(reference).toMatch(/^anyrunner-test-peer:[0-9a-f]{12}$/);
    expect(await ensureConformanceImage()).toBe(reference);
  });
});
