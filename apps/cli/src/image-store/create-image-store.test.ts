import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { text } from "node:stream/consumers";

import { beforeAll, afterAll, describe, expect, test } from "vitest";

import { createImageStore } from "./create-image-store.ts";

const { signal } = new AbortController();
let folder: string;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-test-stores-"));
  for (const name of ["podman", "nerdctl", "container"]) {
    const path = join(folder, name);
    await writeFile(path, `#!/bin/sh\necho "${name} $@" >>"${folder}/calls"\n[ "$1" = info ] || echo "archive of ${name}"\n`);
    await chmod(path, 0o755);
  }
  env = { PATH: [folder, "/usr/bin", "/bin"].join(delimiter), HOME: folder };
});
afterAll(() => rm(folder, { recursive: true }));

const save = async (options: Parameters<typeof createImageStore>[0]) => text(await createImageStore(options).save({ name: "app:1", signal }));

describe("whose images are taken", () => {
  test.each([
    ["podman-image", "podman"],
    ["image+podman", "podman"],
    ["container+nerdctl", "nerdctl"],
    ["image+apple", "container"],
  ])("a runner %s has its own container engine's", async (scheme, program) => {
    expect(await save({ env, scheme })).toBe(`archive of ${program}\n`);
  });

  test("the official client's variable wins over the runner", async () => {
    expect(await save({ env: { ...env, _EXPERIMENTAL_DAGGER_RUNNER_IMAGESTORE: "nerdctl-image" }, scheme: "podman-image" })).toBe("archive of nerdctl\n");
  });

  test("a store that nobody knows is refused by name", async () => {
    const saving = save({ env: { ...env, _EXPERIMENTAL_DAGGER_RUNNER_IMAGESTORE: "containerd" }, scheme: "tcp" });
    await expect(saving).rejects.toMatchObject({ code: "UNSUPPORTED", message: expect.stringContaining('"containerd"') });
  });

  test("a Docker that was named is used or fails", async () => {
    const saving = save({ env: { ...env, DOCKER_HOST: "unix:///none/at/all.sock" }, scheme: "unix" });
    await expect(saving).rejects.toMatchObject({ code: "CONNECTION_REFUSED" });
  });

  test("it is looked for once, with the first image", async () => {
    const store = createImageStore({ env, scheme: "podman-image" });
    await rm(join(folder, "calls"), { force: true });
    for (const name of ["app:1", "app:2"]) await text(await store.save({ name, signal }));
    expect(await readFile(join(folder, "calls"), "utf8")).toBe("podman save app:1\npodman save app:2\n");
  });
});
