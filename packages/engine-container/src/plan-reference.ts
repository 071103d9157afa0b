import { normalizeEngineVersion, RunnerError } from "@anyrunner/core";

import type { EngineImage } from "./engine-image.ts";

/** The image's complete name: as written, or with the tag that `version` asks for. Fails with INVALID_OPTION. */
export function planReference(image: EngineImage, options: { readonly version: string | undefined; readonly gpu: boolean }): string {
  if (image.version === undefined) return image.reference;
  const version = image.version === "auto" ? options.version : image.version;
  if (version === undefined) {
    throw new RunnerError("INVALID_OPTION", "version=auto: nothing here says which engine version the project needs", {
      hint: `write the version: ${image.reference}:vX.Y.Z`,
      details: { parameter: "version" },
    });
  }
  return engineReference(image.reference, { version, gpu: options.gpu });
}

/** `registry.dagger.io/engine` and 0.21.8 give `registry.dagger.io/engine:v0.21.8`, or `…-gpu` (engine protocol 1.1, 9). */
export function engineReference(repository: string, { version, gpu = false }: { readonly version: string; readonly gpu?: boolean | undefined }): string {
  return `${repository}:${normalizeEngineVersion(version).replace(/\+.*$/, "")}${gpu ? "-gpu" : ""}`;
}
