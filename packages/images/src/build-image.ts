import { Readable } from "node:stream";

import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core";
import { followImageSteps, packTar, type DockerClient } from "@anyrunner/docker-endpoint";
import { isSameImage, parseImageReference } from "@anyrunner/engine-container";

import { checkRecipe, noGpuOnArm, type CheckedRecipe } from "./check-recipe.ts";
import { imagesOf, planImage, type ImagePlan } from "./plan-image.ts";
import type { ImageRecipe, SourceImage } from "./recipe.ts";
import { ensureImage, inspectImage, readSourceImage, type EnsureImageOptions } from "./source-image.ts";

export interface BuildImageOptions extends Omit<EnsureImageOptions, "platform"> {
  readonly client: DockerClient;
  readonly recipe: ImageRecipe;
  /** `name:tag`. */
  readonly tag: string;
}

export interface BuiltImage {
  readonly tag: string;
  /** `sha256:…` of its configuration. An image has the digest of a manifest once it was pushed. */
  readonly id: string;
  readonly sizeBytes: number;
  readonly platform: string;
  readonly engine: string;
  /** Of the engine's image; absent where that came from no registry. */
  readonly engineDigest?: string | undefined;
  readonly containerfile: string;
}

export interface PlannedImage {
  readonly recipe: CheckedRecipe;
  readonly source: SourceImage;
  readonly plan: ImagePlan;
}

const OUTPUT_LIMIT = 4096;
const CONTAINERFILE = "Containerfile";

/**
 * Checks the recipe, gets the images that it begins from, and plans. Fails as `checkRecipe` does, with IMAGE_PULL_FAILED, NOT_FOUND, WRONG_SERVER for an
 * image that is no engine's, ABORTED.
 */
export async function planFromDaemon(options: Omit<BuildImageOptions, "tag">): Promise<PlannedImage> {
  const { client, signal } = options;
  const recipe = checkRecipe(options.recipe);
  const { platform } = recipe;
  const [first, ...others] = imagesOf(recipe);
  const engine = await ensureImage(client, first ?? recipe.engine, { ...options, platform });
  const source = await readSourceImage(client, recipe.engine, engine, { signal });
  if (recipe.gpu && recipe.strategy === "overlay" && source.platform === "linux/arm64") throw noGpuOnArm();
  for (const reference of others) await ensureImage(client, reference, { ...options, platform: platform ?? source.platform });
  return { recipe, source, plan: planImage(recipe, source) };
}

/**
 * Builds an engine's image with the Docker daemon's own builder. Fails as `planFromDaemon` does, with INVALID_OPTION for a tag that can't be used, and with
 * COMMAND_FAILED and the end of the output where a step fails.
 */
export async function buildImage(options: BuildImageOptions): Promise<BuiltImage> {
  const { client, tag, signal } = options;
  throwIfAborted(signal);
  checkTag(tag, checkRecipe(options.recipe).engine);
  const { recipe, source, plan } = await planFromDaemon(options);
  await build(client, plan, { ...options, platform: recipe.platform });
  const image = await inspectImage(client, tag, { signal });
  if (image === undefined) throw new RunnerError("COMMAND_FAILED", `the image ${tag} was built, but the Docker daemon doesn't find it`);
  return {
    tag,
    id: image.Id,
    sizeBytes: image.Size,
    platform: `${image.Os}/${image.Architecture}`,
    engine: recipe.engine,
    ...(source.digest !== undefined && { engineDigest: source.digest }),
    containerfile: plan.containerfile,
  };
}

function checkTag(tag: string, engine: string): void {
  const { digest } = parseImageReference(tag);
  if (digest !== undefined) throw new RunnerError("INVALID_OPTION", `an image can't be built with a digest: ${tag}`, { hint: "leave the digest away" });
  if (isSameImage(tag, engine))
    throw new RunnerError("INVALID_OPTION", `the tag ${tag} is that of the engine's own image, which it would hide`, { hint: "choose another tag" });
}

interface BuildCall extends CallOptions {
  readonly tag: string;
  readonly platform: string | undefined;
}

async function build(client: DockerClient, plan: ImagePlan, { tag, platform, signal, report }: BuildCall): Promise<void> {
  const context = packTar([{ name: CONTAINERFILE, contents: Buffer.from(plan.containerfile) }, ...plan.files]);
  let output = "";
  const message = `building ${tag}`;
  report?.({ type: "progress", id: "image-build", message });
  try {
    const { body } = await client.request({
      method: "POST",
      path: "/build",
      query: { dockerfile: CONTAINERFILE, t: tag, rm: true, forcerm: true, platform },
      headers: { "Content-Type": "application/x-tar", "Content-Length": String(context.length) },
      body: Readable.from([context]),
      signal,
    });
    await followImageSteps(
      body,
      ({ stream = "" }) => {
        output = (output + stream).slice(-OUTPUT_LIMIT);
        const [, current, total, step = ""] = /^Step (\d+)\/(\d+) : (.*)/.exec(stream) ?? [];
        if (total === undefined) return;
        const shown = step.length > 80 ? `${step.slice(0, 79)}…` : step;
        report?.({ type: "progress", id: "image-build", message: `${message}: ${shown}`, current: Number(current), total: Number(total), unit: "steps" });
      },
      "a build",
    );
  } catch (error) {
    throwIfAborted(signal);
    throw buildError(error, { tag, output });
  }
  report?.({ type: "progress", id: "image-build", message, done: true });
}

function buildError(error: unknown, { tag, output }: { readonly tag: string; readonly output: string }): RunnerError {
  // Without a status the daemon didn't answer at all.
  if (RunnerError.is(error) && error.details?.["status"] === undefined) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new RunnerError("COMMAND_FAILED", `the image ${tag} can't be built: ${words}`, {
    hint: buildHint(words),
    cause: error,
    details: { image: tag, output: output.trim() },
  });
}

function buildHint(words: string): string {
  if (/no space left on device|disk quota exceeded/i.test(words)) return "make room on the daemon's disk: anyrunner du, anyrunner prune, docker system prune";
  if (/returned a non-zero code/.test(words)) return "look at the output of the step, in the error's details";
  if (/COPY failed|no source files|not found in build context|no such file/i.test(words))
    return "check the files that the packages or the engine's image should have";
  return "look at the daemon's words";
}
