import { formatRunnerUrl, readOptions, RunnerError, type OptionSpec, type OptionValues, type RunnerTarget, type RunnerUrl } from "@anyrunner/core/driver";
import { ENGINE_IMAGE_OPTIONS, parseEngineImage, withoutSecrets, type ShownEngineImage } from "@anyrunner/engine-container";

import type { ContainerRuntime, RuntimeName } from "./runtime.ts";

/** What a URL means: an existing container by name or id, or an engine that is made from an image when there is none. */
export type ContainerTarget = ExistingTarget | ImageTarget;

/** A container that exists. */
export interface ExistingTarget extends RunnerTarget {
  readonly driver: RuntimeName;
  readonly kind: "container";
  readonly container: string;
  readonly place?: string | undefined;
}

/** An engine of an image, which is found or made. */
export interface ImageTarget extends RunnerTarget {
  readonly driver: RuntimeName;
  readonly kind: "image";
  readonly image: ShownEngineImage;
  readonly place?: string | undefined;
}

/** moby's rule for container names, which the others follow; ids are among them. */
const NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/;

/** Every parameter that the runtime's URLs may have. */
export function runtimeOptions(runtime: ContainerRuntime): readonly OptionSpec[] {
  return [...placeOptions(runtime), ...ENGINE_IMAGE_OPTIONS];
}

/** Understands a URL of the runtime. Fails with INVALID_URL, INVALID_OPTION. */
export function parseContainerTarget(runtime: ContainerRuntime, url: RunnerUrl): ContainerTarget {
  return runtime.schemes.image.includes(url.scheme) ? parseImage(runtime, url) : parseExisting(runtime, url);
}

function parseExisting(runtime: ContainerRuntime, url: RunnerUrl): ExistingTarget {
  const values = readOptions(url, placeOptions(runtime)) as Readonly<Record<string, string | undefined>>;
  const invalid = (reason: string) =>
    new RunnerError("INVALID_URL", `${formatRunnerUrl(url)} can't be understood: ${reason}`, { hint: `write ${url.scheme}://NAME`, driver: runtime.name });
  if (url.body === "") throw invalid("it names no container");
  if (!NAME.test(url.body)) throw invalid("a container's name has letters, digits, dots, dashes and underscores only");
  return { driver: runtime.name, kind: "container", url: formatRunnerUrl(url), container: url.body, ...placeOf(runtime, values) };
}

function parseImage(runtime: ContainerRuntime, url: RunnerUrl): ImageTarget {
  const options = runtimeOptions(runtime);
  const values = readOptions(url, options) as OptionValues<typeof ENGINE_IMAGE_OPTIONS> & Readonly<Record<string, string | undefined>>;
  const secretParams = options.filter(({ secret }) => secret).map(({ name }) => name);
  return {
    driver: runtime.name,
    kind: "image",
    url: formatRunnerUrl(url, { secretParams }),
    image: withoutSecrets(parseEngineImage(url, values)),
    ...placeOf(runtime, values),
  };
}

function placeOptions(runtime: ContainerRuntime): readonly OptionSpec[] {
  return runtime.place === undefined ? [] : [runtime.place.option];
}

function placeOf(runtime: ContainerRuntime, values: Readonly<Record<string, unknown>>): { readonly place?: string } {
  const name = runtime.place?.option.name;
  const place = name === undefined ? undefined : values[name];
  if (typeof place !== "string") return {};
  // It becomes an argument of its own, so anything but an empty text is safe.
  if (place === "") {
    throw new RunnerError("INVALID_OPTION", `parameter "${name}" is wrong: it is empty`, {
      hint: "give it a value, or leave it away",
      driver: runtime.name,
      details: { parameter: name },
    });
  }
  return { place };
}
