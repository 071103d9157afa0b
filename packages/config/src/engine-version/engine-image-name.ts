import { normalizeEngineVersion, RunnerError } from "@anyrunner/core";

/** Where the official images are; `{version}` stands for `vX.Y.Z`, or `vX.Y.Z-gpu`. */
export const OFFICIAL_ENGINE_IMAGE = "registry.dagger.io/engine:{version}";

/** The version that is used where nothing in the project says one. */
export const DEFAULT_ENGINE_VERSION = "v0.21.8";

export interface EngineImageNameOptions {
  readonly version: string;
  /** The image with GPU drivers. Default false. */
  readonly gpu?: boolean | undefined;
  /** Name of a mirror's image with `{version}` in it, or a fixed one. Default: the official one. */
  readonly template?: string | undefined;
}

/** The name of the engine's image for a version, such as `registry.dagger.io/engine:v0.21.8-gpu`. */
export function engineImageName({ version, gpu = false, template = OFFICIAL_ENGINE_IMAGE }: EngineImageNameOptions): string {
  return template.replaceAll("{version}", `${normalizeEngineVersion(version).replace(/\+.*$/, "")}${gpu ? "-gpu" : ""}`);
}

/** Whether images with GPU drivers are asked for, as the official client is asked (engine protocol 1.1). */
export function wantsGpu(env: Readonly<Record<string, string | undefined>>): boolean {
  return Boolean(env["_EXPERIMENTAL_DAGGER_GPU_SUPPORT"]);
}

/** Checks a template that a user wrote. Fails with INVALID_CONFIG. */
export function checkImageTemplate(template: string, place: string): string {
  const problem = imageTemplateProblem(template);
  if (problem === undefined) return template;
  throw new RunnerError("INVALID_CONFIG", `${place}: "image" can't be used: ${problem}`, {
    hint: "write for example image: registry.example.com/dagger/engine:{version}",
  });
}

function imageTemplateProblem(template: string): string | undefined {
  const unknown = /\{(?!version\})[^}]*\}?/.exec(template)?.[0];
  if (unknown !== undefined) return `it has ${unknown}, but only {version} is known`;
  if (template.includes("://")) return "it is a URL, not the name of an image";
  if (!/^[\w.:/@{}-]+$/.test(template)) return "it is no name of an image";
  if (!template.includes("{version}") && !/(:[\w.-]+|@sha256:[0-9a-f]{64})$/.test(template)) return "it has neither {version} nor a tag nor a digest";
  return undefined;
}
