import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { text } from "node:stream/consumers";

import { runProgram } from "@anyrunner/exec";
import { expectNothingLeft, takeInventory } from "@anyrunner/testkit";
import { describe, expect, onTestFinished, test } from "vitest";

import { createProgramImageStore } from "./program-image-store.ts";

const { signal } = new AbortController();

/** A container engine's program that does what `script` says; `$1` is the verb. */
async function standIn(script: string): Promise<{ readonly command: string; readonly env: NodeJS.ProcessEnv; readonly folder: string }> {
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-store-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const command = join(folder, "engine");
  await writeFile(command, `#!/bin/sh\ncd "${folder}"\necho "$@" >>calls\n${script}\n`);
  await chmod(command, 0o755);
  return { command, env: process.env, folder };
}

describe("a program's images", () => {
  test("an archive goes to its standard input; what it says to have loaded gets the name", async () => {
    const engine = await standIn('case "$1" in load) cat >archive; echo "Loaded image: localhost/x:1" ;; esac');
    await createProgramImageStore(engine).load(Readable.from([Buffer.from("archive "), Buffer.from("of an image")]), { name: "app:2", signal });
    expect(await readFile(join(engine.folder, "archive"), "utf8")).toBe("archive of an image");
    expect(await readFile(join(engine.folder, "calls"), "utf8")).toBe("load\ntag localhost/x:1 app:2\n");
  });

  test("its words come before the verb", async () => {
    const engine = await standIn('echo "sha256:$(printf %064d 7)"; cat >/dev/null');
    await createProgramImageStore({ ...engine, words: ["image"] }).load(Readable.from(["x"]), { name: "app:2", signal });
    expect(await readFile(join(engine.folder, "calls"), "utf8")).toMatch(/^image load\nimage tag sha256:0+7 app:2\n$/);
  });

  test("a load that is refused in mid-archive says why", async () => {
    const engine = await standIn('head -c 10 >/dev/null; echo "Error: no room" >&2; exit 125');
    const archive = Readable.from(
      (function* () {
        for (let piece = 0; piece < 1000; piece++) yield Buffer.alloc(65_536);
      })(),
    );
    const loading = createProgramImageStore(engine).load(archive, { name: "app:2", signal });
    await expect(loading).rejects.toMatchObject({ code: "COMMAND_FAILED", message: expect.stringMatching(/did not load the image: Error: no room$/) });
    expect(archive.destroyed).toBe(true);
  });

  test.each([
    ["Error: app:2: image not known", "NOT_FOUND"],
    ["Error: the storage is broken", "COMMAND_FAILED"],
  ])("a save that ends with %j is %s", async (words, code) => {
    const engine = await standIn(`echo "${words}" >&2; exit 125`);
    const saving = createProgramImageStore(engine)
      .save({ name: "app:2", signal })
      .then((archive) => text(archive));
    await expect(saving).rejects.toMatchObject({ code, message: expect.stringContaining("app:2") });
  });

  test("an abort ends the program", async () => {
    const before = await takeInventory();
    const engine = await standIn("yes");
    const controller = new AbortController();
    const archive = await createProgramImageStore(engine).save({ name: "app:2", signal: controller.signal });
    const reading = (async () => {
      for await (const chunk of archive) if (chunk.length > 0) controller.abort();
    })();
    await expect(reading).rejects.toMatchObject({ code: "ABORTED" });
    await expectNothingLeft(before);
  });

  test("a program that isn't there is named", async () => {
    const store = createProgramImageStore({ command: "no-such-container-engine", env: process.env });
    await expect(store.load(Readable.from(["x"]), { name: "app:2", signal })).rejects.toMatchObject({ code: "NOT_FOUND" });
  });
});

describe.skipIf(process.env["ANYRUNNER_TEST_PODMAN"] === "skip")("images of Podman (left out with ANYRUNNER_TEST_PODMAN=skip)", () => {
  const settings = new URL("../../../../packages/driver-podman/src/bare-machine.fixture.conf", import.meta.url).pathname;
  const env = existsSync("/run/systemd/system") ? process.env : { ...process.env, CONTAINERS_CONF: settings };
  const podman = (args: readonly string[], input?: string) => runProgram({ command: "podman", args, env, input });

  test("what is saved can be loaded under another name", async () => {
    const tag = randomBytes(4).toString("hex");
    const source = `localhost/anyrunner-test-store/source:${tag}`;
    const name = `registry.example:5000/anyrunner-test-store/app:${tag}`;
    onTestFinished(async () => void (await podman(["rmi", "--force", source, name])));
    const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-store-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await writeFile(join(folder, "file"), tag);
    await runProgram({ command: "tar", args: ["-C", folder, "-cf", join(folder, "root.tar"), "file"] });
    expect((await podman(["import", join(folder, "root.tar"), source])).exitCode).toBe(0);
    const store = createProgramImageStore({ command: "podman", env });
    await store.load(Readable.from(await store.save({ name: source, signal }), { objectMode: false }), { name, signal });
    const { stdout } = await podman(["image", "inspect", "--format", "{{.Id}}", source, name]);
    const [first, second] = stdout.toString().trim().split("\n");
    expect(second).toBe(first);
  });

  test("an image that isn't there is named", async () => {
    const saving = createProgramImageStore({ command: "podman", env })
      .save({ name: "localhost/anyrunner-test-store/none:1", signal })
      .then((archive) => text(archive));
    await expect(saving).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining("anyrunner-test-store/none:1") });
  });
});
