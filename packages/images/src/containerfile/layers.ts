import type { CheckedRecipe } from "../check-recipe.ts";
import { assignments } from "./instructions.ts";

/** Folders of the context. */
export const CERTIFICATES_FOLDER = "ca-certificates";
export const CONFIG_FOLDER = "engine";
export const FILES_FOLDER = "files";

/**
 * What every strategy puts on top, by COPY, ENV and LABEL alone. Never ENTRYPOINT, which prepares the cgroups, and never NVIDIA_VISIBLE_DEVICES.
 * File modes are those of the context: `COPY --chmod` needs BuildKit.
 */
export function commonLayers(recipe: CheckedRecipe, labels: Readonly<Record<string, string>>): readonly string[] {
  const { certificates, engineJson, engineToml, files, gpu, env } = recipe;
  return [
    ...(certificates.length === 0 ? [] : [`COPY ${CERTIFICATES_FOLDER}/ /usr/local/share/ca-certificates/`]),
    ...(engineJson === undefined && engineToml === undefined ? [] : [`COPY ${CONFIG_FOLDER}/ /etc/dagger/`]),
    ...files.map(({ target }, index) => `COPY ${FILES_FOLDER}/${index} ${target}`),
    ...assignments("ENV", { ...(gpu && GPU_VARIABLES), ...env }),
    ...assignments("LABEL", labels),
  ];
}

/** The engine looks whether the first one is there; the second is for the tools that hand GPUs to its own container. */
const GPU_VARIABLES = { _EXPERIMENTAL_DAGGER_GPU_SUPPORT: "1", NVIDIA_DRIVER_CAPABILITIES: "all" };
