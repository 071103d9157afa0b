import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { RunnerError } from "@anyrunner/core";
import { formatBytes, parseImageReference, type Check } from "@anyrunner/engine-container";

import type { CommandContext } from "../command-context.ts";
import { formatCheck } from "../doctor/format-check.ts";
import { EXIT } from "../exit-codes.ts";
import { readImageRecipe, type ImageRecipeOptions } from "../image-recipe.ts";
import { interruptible } from "../interrupts.ts";
import { withDocker } from "../with-docker.ts";

export interface ImageCommandOptions extends ImageRecipeOptions {
  /** `missing`, `always` or `never`. */
  readonly pull: string | undefined;
}

export interface ContainerfileCommandOptions extends ImageCommandOptions {
  /** Folder for the Containerfile and what it copies. */
  readonly output?: string | undefined;
}

export interface BuildCommandOptions extends ImageCommandOptions {
  readonly tag?: string | undefined;
  readonly push: boolean;
  readonly verify: boolean;
}

export interface VerifyCommandOptions {
  readonly image: string;
  readonly gpu: boolean;
  readonly engine?: string | undefined;
}

/** Prints a Containerfile, or writes it with all that it copies. Docker is asked only where the engine's image has to be known. */
export function containerfileCommand(context: CommandContext, options: ContainerfileCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const { checkRecipe, needsSource, planFromDaemon, planImage } = await import("@anyrunner/images");
    const recipe = await readImageRecipe(context, options);
    const checked = checkRecipe(recipe);
    const plan = needsSource(checked)
      ? await withDocker(
          context,
          async (client) => (await planFromDaemon({ client, recipe, pull: pullOf(options), env: context.env, report: context.report, signal })).plan,
        )
      : planImage(checked);
    if (options.output === undefined) {
      context.print(
        context.json ? JSON.stringify({ containerfile: plan.containerfile, files: plan.files.map(({ name }) => name) }) : plan.containerfile.trimEnd(),
      );
      if (plan.files.length > 0) context.note(`it copies files; --output FOLDER writes them, too`);
      return EXIT.success;
    }
    const folder = resolve(context.cwd, options.output);
    for (const { name, contents, mode } of [{ name: "Containerfile", contents: Buffer.from(plan.containerfile), mode: undefined }, ...plan.files]) {
      await mkdir(dirname(join(folder, name)), { recursive: true });
      await writeFile(join(folder, name), contents, { mode: mode ?? 0o644 });
    }
    context.print(context.json ? JSON.stringify({ folder, files: ["Containerfile", ...plan.files.map(({ name }) => name)] }) : folder);
    context.note(`build it: docker build -t NAME -f ${join(folder, "Containerfile")} ${folder}`);
    return EXIT.success;
  });
}

/** Builds an image, checks it, and pushes it where that is wanted. An image that fails its checks stays, and is not pushed. */
export function buildCommand(context: CommandContext, options: BuildCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const { buildImage, pushImage, verifyImage } = await import("@anyrunner/images");
    const recipe = await readImageRecipe(context, options);
    const tag = options.tag ?? defaultTag(recipe.engine);
    return withDocker(context, async (client) => {
      const call = { client, env: context.env, report: context.report, signal };
      const built = await buildImage({ ...call, recipe, tag, pull: pullOf(options) });
      const verified = options.verify ? await verifyImage({ client, image: built.id, gpu: recipe.gpu, engine: built.engine, signal }) : undefined;
      const isGood = verified?.ok ?? true;
      const pushed = options.push && isGood ? await pushImage({ ...call, tag }) : undefined;
      const { containerfile: _, ...facts } = built;
      if (context.json) {
        context.print(JSON.stringify({ ...facts, ...(verified && { ok: verified.ok, checks: verified.checks }), ...(pushed && { pushed }) }, undefined, 2));
      } else {
        const notable = (verified?.checks ?? []).filter(({ status }) => status === "failed" || status === "warning");
        for (const line of notable.flatMap((check) => formatCheck(check, context.columns))) context.note(line);
        context.print(pushed?.reference ?? tag);
        context.note(`${formatBytes(built.sizeBytes)}, ${built.id}`);
        if (isGood) context.note(`use it: anyrunner run --runner 'docker-image://${tag}' -- PROGRAM`);
        else context.note(`the image is there, but an engine won't run from it${options.push ? "; it was not pushed" : ""}`);
      }
      return isGood ? EXIT.success : EXIT.failure;
    });
  });
}

/** Checks an image that Docker has; the exit code is 1 when something failed. */
export function verifyCommand(context: CommandContext, { image, gpu, engine }: VerifyCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const { verifyImage } = await import("@anyrunner/images");
    return withDocker(context, async (client) => {
      const verified = await verifyImage({ client, image, ...(gpu && { gpu }), engine, signal });
      if (context.json) context.print(JSON.stringify(verified, undefined, 2));
      else for (const line of verified.checks.flatMap((check: Check) => formatCheck(check, context.columns))) context.print(line);
      return verified.ok ? EXIT.success : EXIT.failure;
    });
  });
}

/** Pushes an image, and prints the name with which it is always meant. */
export function pushCommand(context: CommandContext, tag: string): Promise<number> {
  return interruptible(async (signal) => {
    const { pushImage } = await import("@anyrunner/images");
    return withDocker(context, async (client) => {
      const pushed = await pushImage({ client, tag, env: context.env, report: context.report, signal });
      context.print(context.json ? JSON.stringify(pushed) : pushed.reference);
      return EXIT.success;
    });
  });
}

function pullOf({ pull }: ImageCommandOptions): "missing" | "always" | "never" {
  return pull === "always" || pull === "never" ? pull : "missing";
}

/** `anyrunner-engine:v0.21.8`: no name that a registry has. */
function defaultTag(engine: string): string {
  const { tag } = parseImageReference(engine);
  if (tag === undefined) throw new RunnerError("USAGE", `nothing says how the image shall be called: ${engine} has no tag`, { hint: "add --tag NAME:TAG" });
  return `anyrunner-engine:${tag}`;
}
