import { Option, type Command } from "commander";

import type { AddCommand } from "./add-runner-commands.ts";
import type { ImageCommandOptions } from "./commands/image.ts";

/** The commands that make images of engines. What they do is loaded when one is called. */
export function addImageCommands(program: Command, add: AddCommand): void {
  const image = program
    .command("image")
    .description("engine images of one's own: certificates, configuration, packages, GPUs")
    .action(() => image.help());

  const containerfile = add(image, "containerfile", "print the Containerfile of an engine's image", async (context, values, [engine]) =>
    (await import("./commands/image.ts")).containerfileCommand(context, { ...recipeOf(values, engine), output: text(values["output"]) }),
  );
  addRecipe(containerfile).option("-o, --output <folder>", "write it there instead, with the files that it copies, for a builder of your own");

  const build = add(image, "build", "build an engine's image on Docker, and check it", async (context, values, [engine]) =>
    (await import("./commands/image.ts")).buildCommand(context, {
      ...recipeOf(values, engine),
      tag: text(values["tag"]),
      push: values["push"] === true,
      verify: values["verify"] !== false,
    }),
  );
  addRecipe(build)
    .option("-t, --tag <name>", "name of the image (default: anyrunner-engine with the engine's tag)")
    .option("--push", "push it when its checks are passed")
    .option("--no-verify", "don't check it");

  add(image, "verify", "check whether an engine can run from an image, with the remedy for what is wrong", async (context, values, [name = ""]) =>
    (await import("./commands/image.ts")).verifyCommand(context, { image: name, gpu: values["gpu"] === true, engine: text(values["engine"]) }),
  )
    .argument("<image>", "its name; Docker has to have it")
    .option("--gpu", "whether it serves NVIDIA GPUs, too (default: if it says so)")
    .option("--engine <image>", "the engine's image that it has to agree with (default: the one that it was made of)");

  add(image, "push", "push an image with the login of Docker's configuration", async (context, _, [tag = ""]) =>
    (await import("./commands/image.ts")).pushCommand(context, tag),
  ).argument("<image>", "REGISTRY/NAME:TAG");
}

function addRecipe(command: Command): Command {
  const collect = (value: string, all: readonly string[]) => [...all, value];
  return command
    .argument("[engine]", "version of the engine, or the name of an engine's image (default: the version that the project names)")
    .option("--gpu", "for NVIDIA GPUs; never run against a real GPU")
    .addOption(new Option("--strategy <name>", "overlay, packages or rebase (default: by the other options)").choices(["overlay", "packages", "rebase"]))
    .option("--base <image>", "for rebase: the image to build on; for packages: where they are installed (default: Wolfi)")
    .addOption(new Option("--installer <name>", "for rebase: apt, or none where the base image has what an engine needs").choices(["apt", "none"]))
    .option("--package <name=files>", "a package of Wolfi and the files to take, separated by commas; for rebase a package of apt; repeatable", collect, [])
    .option("--ca <path>", "certificates of authorities, a file or a folder; repeatable", collect, [])
    .option("--config <file>", "an engine.json, which is merged into the engine's own, or an engine.toml; repeatable", collect, [])
    .option("--add <file:target>", "a file, such as a static program, and where it goes; repeatable", collect, [])
    .option("--env <name=value>", "a variable, readable by everybody who has the image; NAME takes the value from here; repeatable", collect, [])
    .option("--label <name=value>", "a label; repeatable", collect, [])
    .addOption(new Option("--platform <name>", "linux/amd64 or linux/arm64 (default: Docker's)"))
    .option("--toolkit <version>", "for rebase: version of NVIDIA's container toolkit, such as 1.19.1-1")
    .addOption(new Option("--pull <when>", "when images are pulled: missing, always or never").choices(["missing", "always", "never"]).default("missing"));
}

function recipeOf(values: Readonly<Record<string, unknown>>, engine: string | undefined): ImageCommandOptions {
  return {
    engine,
    gpu: values["gpu"] === true,
    strategy: text(values["strategy"]),
    base: text(values["base"]),
    installer: text(values["installer"]),
    packages: list(values["package"]),
    ca: list(values["ca"]),
    config: list(values["config"]),
    add: list(values["add"]),
    env: list(values["env"]),
    labels: list(values["label"]),
    platform: text(values["platform"]),
    toolkit: text(values["toolkit"]),
    pull: text(values["pull"]),
  };
}

function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function list(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map(String) : [];
}
