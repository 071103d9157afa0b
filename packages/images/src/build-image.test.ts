import type { RunnerEvent } from "@anyrunner/core";
import { followImageSteps, readContainerFile } from "@anyrunner/docker-endpoint";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { buildImage } from "./build-image.ts";
import type { ImageRecipe } from "./recipe.ts";
import { inCreatedContainer, inspectImage } from "./source-image.ts";
import { AUTHORITY } from "./test-certificates.ts";
import { createTestImages, script, skipReason, type TestImages } from "./test-engine-image.ts";
import { verifyImage } from "./verify-image.ts";

/** Each of them starts several containers. */
const TIMEOUT_MS = 600_000;

describe.skipIf(skipReason !== undefined)(`images by a real daemon${skipReason === undefined ? "" : ` (${skipReason})`}`, { timeout: TIMEOUT_MS }, () => {
  let images: TestImages;
  let engine: string;
  beforeAll(async () => {
    images = await createTestImages();
    engine = await images.makeEngine("engine");
  }, TIMEOUT_MS);
  afterAll(async () => {
    await images[Symbol.asyncDispose]();
  }, TIMEOUT_MS);

  const build = (
    name: string,
    recipe: Omit<ImageRecipe, "engine">,
    more: { readonly report?: (event: RunnerEvent) => void; readonly signal?: AbortSignal } = {},
  ) => buildImage({ client: images.client, tag: images.tag(name), recipe: { engine, ...recipe }, pull: "never", env: {}, ...more });
  const read = (image: string, path: string) =>
    inCreatedContainer(images.client, { Image: image }, {}, (container) => readContainerFile(images.client, container, path, {}));
  const verify = async (image: string, gpu = false) => {
    const { checks } = await verifyImage({ client: images.client, image, gpu });
    return checks.filter(({ status }) => status !== "ok").map(({ id, status, detail }) => `${id} ${status}: ${detail}`);
  };

  test("overlay: certificates, merged configuration, files and variables are in it, and an engine would run from it", async () => {
    const events: RunnerEvent[] = [];
    const built = await build(
      "overlay",
      {
        caCertificates: [{ name: "ca.pem", text: AUTHORITY }],
        engineJson: { registries: { "docker.io": { mirrors: ["mirror.example.com"] } } },
        engineToml: "debug = true\n",
        files: [{ target: "/usr/local/bin/credential", contents: Buffer.from("#!/bin/sh\n"), mode: 0o755 }],
        env: { QUOTED: String.raw`a "b" $C \d` },
      },
      { report: (event) => events.push(event) },
    );
    const image = await inspectImage(images.client, built.tag, {});
    expect(built).toMatchObject({ id: image?.Id, engine, sizeBytes: image?.Size, platform: expect.stringMatching(/^linux\//) });
    expect(image?.Config.Entrypoint).toEqual(["dagger-entrypoint.sh"]);
    expect(image?.Config.Env).toContain(String.raw`QUOTED=a "b" $C \d`);
    expect(image?.Config.Labels).toMatchObject({ "org.opencontainers.image.base.name": engine, "dev.anyrunner.image-strategy": "overlay" });
    expect(JSON.parse((await read(built.id, "/etc/dagger/engine.json")) ?? "")).toEqual({
      registries: { "docker.io": { mirrors: ["mirror.example.com", "mirror.gcr.io"] } },
    });
    expect(await read(built.id, "/etc/dagger/engine.toml")).toBe("debug = true\n");
    expect(await read(built.id, "/usr/local/bin/credential")).toBe("#!/bin/sh\n");
    expect(await verify(built.tag)).toEqual([]);
    expect(events.filter(({ type }) => type === "progress").at(0)).toMatchObject({ id: "image-build", message: `building ${built.tag}` });
    expect(events).toContainEqual(expect.objectContaining({ current: 2, unit: "steps", message: expect.stringContaining("COPY ca-certificates/") }));
    expect(events.at(-1)).toMatchObject({ id: "image-build", done: true });
  });

  test("packages: the chosen files of a package, and no others, come into the image", async () => {
    const apk = [
      "mkdir -p /usr/lib /usr/share/doc",
      "echo program > /usr/bin/tool",
      "chmod 755 /usr/bin/tool",
      "touch /usr/lib/libtool.so.1 /usr/share/doc/tool",
    ];
    const baseImage = await images.make("apk", { "/sbin/apk": script(...apk) });
    const { id } = await build("packages", {
      strategy: "packages",
      baseImage,
      packages: [{ name: "tool", files: ["/usr/bin/tool", "/usr/lib/libtool*.so*"] }],
    });
    expect(await read(id, "/usr/bin/tool")).toBe("program\n");
    expect(await read(id, "/usr/lib/libtool.so.1")).toBe("");
    expect(await read(id, "/usr/share/doc/tool")).toBeUndefined();
  });

  test("packages: a file that the package doesn't have is a failure with the output", async () => {
    const baseImage = await images.make("apk-empty", { "/sbin/apk": script("true") });
    const outcome = build("packages-broken", { strategy: "packages", baseImage, packages: [{ name: "tool", files: ["/usr/bin/no-such-tool"] }] });
    await expect(outcome).rejects.toMatchObject({
      code: "COMMAND_FAILED",
      hint: "look at the output of the step, in the error's details",
      details: { output: expect.stringContaining("/usr/bin/no-such-tool") },
    });
  });

  test("rebase: the engine's programs, variables and entrypoint are on another base", async () => {
    const baseImage = await images.make("base", { "/usr/sbin/iptables": script("true"), "/usr/bin/git": script("true") }, ["USER nobody", 'CMD ["top"]']);
    const { id, tag } = await build("rebase", { baseImage, installer: "none" });
    const image = await inspectImage(images.client, tag, {});
    expect(image?.Config.Entrypoint).toEqual(["dagger-entrypoint.sh"]);
    expect(image?.Config.Env).toContain("DAGGER_GO_SDK_MANIFEST_DIGEST=sha256:1");
    expect(await read(id, "/opt/cni/bin/bridge")).toBe("");
    expect(await verify(tag)).toEqual([]);
  });

  test("GPUs: an image that has what they need is told from one that hasn't", async () => {
    expect((await verify(engine, true)).map((line) => line.split(":")[0])).toEqual([
      "image.environment failed",
      "gpu.hook failed",
      "gpu.container-cli failed",
      "gpu.ldconfig failed",
    ]);
    const tools = {
      "/usr/bin/nvidia-container-runtime-hook": script("true"),
      "/usr/bin/nvidia-container-cli": script("echo cli-version: 1.20.0"),
      "/sbin/ldconfig": script("true"),
    };
    expect(await verify(await images.makeEngine("tools", tools, ["ENV _EXPERIMENTAL_DAGGER_GPU_SUPPORT=1"]), true)).toEqual([]);
  });

  test("an authority of a registry has to be where engine.json says", async () => {
    const config = '{"registries":{"example.com":{"ca":["/no/such.crt","/usr/bin/git"]}}}';
    expect(await verify(await images.makeEngine("lost", { "/etc/dagger/engine.json": config }))).toEqual([
      "image.config failed: engine.json names /no/such.crt, which is not there",
    ]);
  });

  test("what is no engine's image fails its checks", async () => {
    const plain = await images.make("plain", {}, ["USER nobody"]);
    expect((await verify(plain)).map((line) => line.split(" ")[0])).toEqual(["image.entrypoint", "image.user", "image.engine", "image.programs", "image.dial"]);
    await expect(buildImage({ client: images.client, recipe: { engine: plain }, tag: images.tag("never"), pull: "never", env: {} })).rejects.toMatchObject({
      code: "WRONG_SERVER",
    });
  });

  test("an image without a shell fails one check, and says so", async () => {
    const empty = images.tag("empty");
    const { body } = await images.client.request({
      method: "POST",
      path: "/images/create",
      query: { fromSrc: "-", repo: empty.split(":")[0], tag: empty.split(":")[1] },
      body: "",
    });
    await followImageSteps(body, () => {}, "an import");
    expect((await verify(empty)).map((line) => line.split(" ")[0])).toContain("image.shell");
  });

  test("an image that isn't there is NOT_FOUND; a tag that would hide the engine's is refused", async () => {
    await expect(verifyImage({ client: images.client, image: images.tag("none") })).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(
      buildImage({ client: images.client, recipe: { engine: images.tag("none") }, tag: images.tag("x"), pull: "never", env: {} }),
    ).rejects.toMatchObject({ code: "NOT_FOUND" });
    await expect(buildImage({ client: images.client, recipe: { engine }, tag: engine, pull: "never", env: {} })).rejects.toMatchObject({
      code: "INVALID_OPTION",
    });
  });

  test("cancelled before and during a build: ABORTED, no image, no container of ours", async () => {
    await expect(build("aborted", {}, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
    const controller = new AbortController();
    const slow = await images.make("apk-slow", { "/sbin/apk": script("exec sleep 600") });
    const report = (event: RunnerEvent) => {
      if (event.type === "progress" && event.message.includes("RUN apk")) controller.abort();
    };
    const recipe = { strategy: "packages", baseImage: slow, packages: [{ name: "tool", files: ["/usr/bin/tool"] }] } as const;
    await expect(build("aborted", recipe, { report, signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
    expect(await inspectImage(images.client, images.tag("aborted"), {})).toBeUndefined();
    const running = async () => {
      const all = await images.client.json<readonly { readonly Command: string }[]>({ path: "/containers/json" });
      return all.filter(({ Command }) => Command.includes("apk add --no-cache tool"));
    };
    await expect.poll(running, { timeout: TIMEOUT_MS / 2 }).toEqual([]);
  });
});
