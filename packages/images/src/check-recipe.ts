import { compareEngineVersions, normalizeEngineVersion, RunnerError, type ErrorCode, type JsonObject } from "@anyrunner/core";
import { engineReference, LABEL_PREFIX, parseImageReference } from "@anyrunner/engine-container";

import { parseCaCertificates, type CaCertificate } from "./ca-certificates.ts";
import type { ImageFile, ImagePackage, ImageRecipe, ImageStrategy } from "./recipe.ts";

/** A recipe whose parts fit together. */
export interface CheckedRecipe {
  readonly strategy: ImageStrategy;
  readonly gpu: boolean;
  /** The complete name of the engine's image. */
  readonly engine: string;
  /** Absent for `overlay`. */
  readonly baseImage: string | undefined;
  readonly installer: "apt" | "none";
  readonly packages: readonly ImagePackage[];
  readonly certificates: readonly CaCertificate[];
  readonly engineJson: JsonObject | undefined;
  readonly engineToml: string | undefined;
  readonly files: readonly ImageFile[];
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly platform: string | undefined;
  readonly toolkitVersion: string | undefined;
}

const OFFICIAL_REPOSITORY = "registry.dagger.io/engine";
/** Where packages are installed: the distribution that engines since v0.19.8 are made of. */
const PACKAGES_IMAGE = "cgr.dev/chainguard/wolfi-base:latest";
/** The first version that has an image with -gpu. */
const FIRST_GPU_VERSION = "v0.9.2";
const PACKAGE_NAME = /^[a-z0-9][a-z0-9+._-]*$/;
const FILE_PATTERN = /^\/[\w.+*?@/-]+$/;
const RESERVED_FILES = ["/etc/dagger/engine.json", "/etc/dagger/engine.toml"];

/** Checks a recipe before anything is built. Fails with INVALID_OPTION, INVALID_URL for the name of an image, UNSUPPORTED. `now`: ms since 1970. */
export function checkRecipe(recipe: ImageRecipe, now: number = Date.now()): CheckedRecipe {
  const { gpu = false, baseImage, packages = [], files = [], platform, toolkitVersion } = recipe;
  const strategy = recipe.strategy ?? strategyOf(recipe);
  checkStrategy(recipe, strategy);
  if (baseImage !== undefined) parseImageReference(baseImage);
  for (const one of packages) checkPackage(one, strategy);
  for (const file of files) checkFile(file);
  if (platform !== undefined && !/^linux\/(amd64|arm64)$/.test(platform))
    throw refuse("UNSUPPORTED", `there is no engine for the platform ${platform}`, "write linux/amd64 or linux/arm64");
  if (toolkitVersion !== undefined && !/^\d+\.\d+\.\d+(~rc\.\d+)?-\d+$/.test(toolkitVersion))
    throw refuse("INVALID_OPTION", `"${toolkitVersion}" is no version of NVIDIA's packages`, "write for example 1.19.1-1");
  if (gpu && strategy === "overlay" && platform === "linux/arm64") throw noGpuOnArm();
  return {
    strategy,
    gpu,
    engine: engineOf(recipe.engine, { gpu: gpu && strategy === "overlay" }),
    baseImage: baseImage ?? (strategy === "packages" ? PACKAGES_IMAGE : undefined),
    installer: recipe.installer ?? "apt",
    packages,
    certificates: parseCaCertificates(recipe.caCertificates ?? [], now),
    engineJson: recipe.engineJson,
    engineToml: recipe.engineToml,
    files,
    env: checkEnvironment(recipe.env ?? {}, gpu),
    labels: checkLabels(recipe.labels ?? {}),
    platform,
    toolkitVersion,
  };
}

/** Whether a word is a version, `0.21.8`, and not the name of an image, `127.0.0.1:5000/engine`. */
export function isEngineVersion(word: string): boolean {
  return /^v?\d+\.\d+\.\d+([-+][\w.+-]+)?$/.test(word);
}

/** The official images with -gpu are for amd64. */
export function noGpuOnArm(): RunnerError {
  return refuse(
    "UNSUPPORTED",
    "there is no engine image with GPU drivers for linux/arm64",
    "take --strategy rebase with a base image for arm64, or an amd64 machine",
  );
}

function strategyOf({ baseImage, packages = [] }: ImageRecipe): ImageStrategy {
  if (baseImage !== undefined) return "rebase";
  return packages.length > 0 ? "packages" : "overlay";
}

function checkStrategy({ baseImage, installer, packages = [], gpu = false, toolkitVersion }: ImageRecipe, strategy: ImageStrategy): void {
  if (strategy === "rebase" && baseImage === undefined)
    throw refuse("INVALID_OPTION", "the strategy rebase needs a base image", "name one, such as ubuntu:24.04");
  if (strategy === "overlay" && baseImage !== undefined)
    throw refuse("INVALID_OPTION", "the strategy overlay takes no base image", "leave it away, or take the strategy rebase");
  if (strategy !== "rebase" && (installer !== undefined || toolkitVersion !== undefined))
    throw refuse("INVALID_OPTION", "installer and toolkit version are for the strategy rebase", "leave them away");
  if (strategy === "overlay" && packages.length > 0)
    throw refuse(
      "UNSUPPORTED",
      "packages can't be installed in the engine's image: it has no package database (`apk add` fails there)",
      "take the strategy packages, which installs them in a stage of its own and copies files, or rebase",
    );
  if (strategy === "packages" && packages.length === 0 && !gpu)
    throw refuse("INVALID_OPTION", "the strategy packages has no packages", "name some, with their files");
  if (installer === "none" && packages.length > 0)
    throw refuse("INVALID_OPTION", "packages can't be installed without an installer", "leave them away, or take the installer apt");
}

function checkPackage({ name, files = [] }: ImagePackage, strategy: ImageStrategy): void {
  if (!PACKAGE_NAME.test(name)) throw refuse("INVALID_OPTION", `"${name}" is no name of a package`, "write it in lower case");
  const broken = files.find((file) => !FILE_PATTERN.test(file) || file.includes("/../"));
  if (broken !== undefined) throw refuse("INVALID_OPTION", `"${broken}" can't be taken from the package ${name}`, "write absolute paths; * and ? are patterns");
  if (strategy === "packages" && files.length === 0)
    throw refuse("INVALID_OPTION", `nothing says which files of the package ${name} go into the image`, `write ${name}=/usr/bin/PROGRAM`);
}

function checkFile({ target }: ImageFile): void {
  if (!FILE_PATTERN.test(target) || /[*?]|\/\.\.?(\/|$)|\/$|\/\//.test(target))
    throw refuse("INVALID_OPTION", `"${target}" is no place for a file in the image`, "write an absolute path without spaces");
  if (RESERVED_FILES.includes(target)) throw refuse("INVALID_OPTION", `${target} is made of the engine's configuration`, "give it as configuration");
}

/** A version gives the official image; the strategies that bring the GPU tools themselves start from the one without. */
function engineOf(engine: string, { gpu }: { readonly gpu: boolean }): string {
  if (isEngineVersion(engine)) {
    const version = normalizeEngineVersion(engine);
    if (gpu && compareEngineVersions(version, FIRST_GPU_VERSION) < 0)
      throw refuse("UNSUPPORTED", `the engine ${version} has no image with GPU drivers`, `take ${FIRST_GPU_VERSION} or newer`);
    return engineReference(OFFICIAL_REPOSITORY, { version, gpu });
  }
  const { tag, digest } = parseImageReference(engine);
  if (tag === undefined && digest === undefined)
    throw refuse("INVALID_OPTION", `${engine} has neither a tag nor a digest`, `write the version: ${engine}:vX.Y.Z`);
  return engine;
}

function checkEnvironment(env: Readonly<Record<string, string>>, gpu: boolean): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(env)) {
    if (!/^[A-Za-z_]\w*$/.test(name)) throw refuse("INVALID_OPTION", `"${name}" is no name of a variable`, "write NAME=VALUE");
    if (/[\n\r\0]/.test(value)) throw refuse("INVALID_OPTION", `the variable ${name} has more than one line`, "give it one");
    if (name === "NVIDIA_VISIBLE_DEVICES")
      throw refuse(
        "INVALID_OPTION",
        "NVIDIA_VISIBLE_DEVICES in an image hands out every GPU unasked where NVIDIA's runtime is the default",
        "leave it away, and ask for GPUs when the engine is made: gpus=",
      );
    if (/(TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?|PRIVATE_KEY|API_?KEY)$/i.test(name))
      throw refuse(
        "INVALID_OPTION",
        `the variable ${name} looks like a secret, and everybody who has an image can read its variables`,
        `give it when the engine is made: env=${name}`,
      );
    if (name === "_EXPERIMENTAL_DAGGER_GPU_SUPPORT" && value === "")
      throw refuse("INVALID_OPTION", `${name} is empty, which switches GPUs off`, gpu ? "leave it away: it is set" : "leave it away");
  }
  return env;
}

function checkLabels(labels: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  for (const [name, value] of Object.entries(labels)) {
    if (!/^[a-z0-9]([\w./-]*[a-z0-9])?$/i.test(name)) throw refuse("INVALID_OPTION", `"${name}" is no name of a label`, "write NAME=VALUE");
    if (name.startsWith(LABEL_PREFIX)) throw refuse("INVALID_OPTION", `labels that begin with ${LABEL_PREFIX} are ours`, "choose another name");
    if (/[\n\r\0]/.test(value)) throw refuse("INVALID_OPTION", `the label ${name} has more than one line`, "give it one");
  }
  return labels;
}

function refuse(code: ErrorCode, message: string, hint: string): RunnerError {
  return new RunnerError(code, message, { hint });
}
