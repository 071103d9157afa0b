import { RunnerError } from "@anyrunner/core";
import type { TarFile } from "@anyrunner/docker-endpoint";
import { LABEL_PREFIX } from "@anyrunner/engine-container";

import type { CheckedRecipe } from "./check-recipe.ts";
import { CERTIFICATES_FOLDER, commonLayers, CONFIG_FOLDER, FILES_FOLDER } from "./containerfile/layers.ts";
import { packagesStage } from "./containerfile/packages-stage.ts";
import { rebaseStages } from "./containerfile/rebase-stage.ts";
import { mergeEngineJson } from "./merge-engine-json.ts";
import type { SourceImage } from "./recipe.ts";

/** All that a builder of images needs. */
export interface ImagePlan {
  readonly containerfile: string;
  /** What lies beside the Containerfile, by its name there. */
  readonly files: readonly TarFile[];
}

/** The label of each image that we build; its value is the strategy. */
export const IMAGE_LABEL = `${LABEL_PREFIX}image-strategy`;

const CONTEXT_LIMIT_BYTES = 256 * 1024 * 1024;

/** Whether the engine's image has to be looked at for the plan: its configuration is merged, and a new base lacks its variables. */
export function needsSource({ strategy, engineJson }: CheckedRecipe): boolean {
  return strategy === "rebase" || engineJson !== undefined;
}

/** The images that the Containerfile begins from. */
export function imagesOf({ engine, baseImage }: CheckedRecipe): readonly string[] {
  return [engine, ...(baseImage === undefined ? [] : [baseImage])];
}

/**
 * Writes the Containerfile and what belongs beside it. Pure: the same recipe gives the same text. `source` is what is known of the engine's image;
 * without it the image isn't pinned. Fails with INVALID_OPTION where it is needed, or for too many files.
 */
export function planImage(recipe: CheckedRecipe, source?: SourceImage): ImagePlan {
  if (source === undefined && needsSource(recipe))
    throw new RunnerError("INVALID_OPTION", `the plan needs to know what the image ${recipe.engine} holds`, { hint: "read the image first" });
  const files = [...certificateFiles(recipe), ...configFiles(recipe, source), ...otherFiles(recipe)];
  const size = files.reduce((sum, { contents }) => sum + contents.length, 0);
  if (size > CONTEXT_LIMIT_BYTES)
    throw new RunnerError("INVALID_OPTION", `the files for the image are too large: ${Math.ceil(size / 1024 ** 2)} MiB`, {
      hint: `give at most ${CONTEXT_LIMIT_BYTES / 1024 ** 2} MiB`,
    });
  return { containerfile: containerfile(recipe, source), files };
}

function containerfile(recipe: CheckedRecipe, source: SourceImage | undefined): string {
  const from = pinned(recipe.engine, source?.digest);
  const lines = [
    `# An engine's image by anyrunner: ${recipe.strategy}${recipe.gpu ? ", for NVIDIA GPUs" : ""}.`,
    ...stages(recipe, from, source),
    ...commonLayers(recipe, labelsOf(recipe, source)),
  ];
  return `${lines.join("\n")}\n`;
}

function stages(recipe: CheckedRecipe, from: string, source: SourceImage | undefined): readonly string[] {
  if (recipe.strategy === "rebase" && source !== undefined) return rebaseStages(recipe, from, source);
  if (recipe.strategy === "packages") return [...packagesStage(recipe), `FROM ${from}`, "COPY --from=packages /out/ /"];
  return [`FROM ${from}`];
}

/** The same name means another image tomorrow, its digest doesn't. */
function pinned(reference: string, digest: string | undefined): string {
  return digest === undefined || reference.includes("@") ? reference : `${reference}@${digest}`;
}

function labelsOf({ strategy, engine, labels }: CheckedRecipe, source: SourceImage | undefined): Readonly<Record<string, string>> {
  return {
    ...labels,
    "org.opencontainers.image.base.name": engine,
    ...(source?.digest !== undefined && { "org.opencontainers.image.base.digest": source.digest }),
    [IMAGE_LABEL]: strategy,
  };
}

function certificateFiles({ certificates }: CheckedRecipe): readonly TarFile[] {
  return certificates.map(({ fileName, pem }) => ({ name: `${CERTIFICATES_FOLDER}/${fileName}`, contents: Buffer.from(pem) }));
}

function configFiles({ engineJson, engineToml }: CheckedRecipe, source: SourceImage | undefined): readonly TarFile[] {
  const json = engineJson && `${JSON.stringify(mergeEngineJson(source?.engineJson ?? {}, engineJson), undefined, 2)}\n`;
  return [
    ...(json === undefined ? [] : [{ name: `${CONFIG_FOLDER}/engine.json`, contents: Buffer.from(json) }]),
    ...(engineToml === undefined ? [] : [{ name: `${CONFIG_FOLDER}/engine.toml`, contents: Buffer.from(engineToml) }]),
  ];
}

function otherFiles({ files }: CheckedRecipe): readonly TarFile[] {
  return files.map(({ contents, mode = 0o755 }, index) => ({ name: `${FILES_FOLDER}/${index}`, mode, contents }));
}
