import { RunnerError } from "@anyrunner/core";

/** A name of a container image: `[registry/]repository[:tag][@digest]`. */
export interface ImageReference {
  /** As written: `ghcr.io`, `localhost:5000`; `docker.io` when the name has no registry. */
  readonly registry: string;
  /** Path in the registry; official images of Docker Hub have their `library/`. */
  readonly repository: string;
  readonly tag?: string | undefined;
  /** `sha256:…` */
  readonly digest?: string | undefined;
}

const MAX_NAME_LENGTH = 255;
const HOST = /^(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*|\[[0-9a-fA-F:]+\])(?::\d{1,5})?$/;
const PATH_COMPONENT = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/;
const TAG = /^\w[\w.-]{0,127}$/;
const DIGEST = /^(?:sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/;

/**
 * Parses the name of an image by the grammar of docker/distribution, without looking anything up. Unlike the docker CLI it keeps
 * tag and digest apart and takes neither for granted. Fails with INVALID_URL.
 */
export function parseImageReference(text: string): ImageReference {
  const at = text.indexOf("@");
  const digest = at < 0 ? undefined : text.slice(at + 1);
  const named = at < 0 ? text : text.slice(0, at);
  // A colon before the last slash belongs to the registry's port.
  const colon = named.indexOf(":", named.lastIndexOf("/") + 1);
  const tag = colon < 0 ? undefined : named.slice(colon + 1);
  const name = colon < 0 ? named : named.slice(0, colon);
  if (name === "") throw invalid(text, "it names no image");
  if (digest !== undefined && !DIGEST.test(digest)) throw invalid(text, "its digest is malformed", "write @sha256: and 64 hexadecimal digits");
  if (tag !== undefined && !TAG.test(tag)) throw invalid(text, "its tag is malformed", "a tag has letters, digits, dots, dashes and underscores only");
  const { registry, path } = splitRegistry(name);
  if (!HOST.test(registry)) throw invalid(text, `"${registry}" is no registry`);
  const broken = path.split("/").find((component) => !PATH_COMPONENT.test(component));
  if (broken !== undefined) {
    const hint = broken.toLowerCase() === broken ? undefined : "write it in lower case";
    throw invalid(text, `"${broken}" can't be a part of an image's name`, hint);
  }
  if (name.length > MAX_NAME_LENGTH) throw invalid(text, `its name is longer than ${MAX_NAME_LENGTH} characters`);
  const repository = registry === HUB && !path.includes("/") ? `library/${path}` : path;
  return { registry, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) };
}

/** The complete name; `parseImageReference` gives the same reference back. */
export function formatImageReference({ registry, repository, tag, digest }: ImageReference): string {
  return `${registry}/${repository}${tag === undefined ? "" : `:${tag}`}${digest === undefined ? "" : `@${digest}`}`;
}

/** Whether two names mean the same image, however they are written; no tag and no digest means `latest`. */
export function isSameImage(one: string, other: string): boolean {
  try {
    return canonical(parseImageReference(one)) === canonical(parseImageReference(other));
  } catch {
    // What a daemon shows may be no name but an id.
    return one === other;
  }
}

const HUB = "docker.io";

function canonical(reference: ImageReference): string {
  return reference.digest === undefined
    ? formatImageReference({ ...reference, tag: reference.tag ?? "latest" })
    : formatImageReference({ ...reference, tag: undefined });
}

/** What stands before the first slash is a registry if it looks like a host: a dot, a colon, upper case, or `localhost`. */
function splitRegistry(name: string): { readonly registry: string; readonly path: string } {
  const slash = name.indexOf("/");
  const first = slash < 0 ? "" : name.slice(0, slash);
  const isHost = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  if (!isHost) return { registry: HUB, path: name };
  return { registry: first === "index.docker.io" ? HUB : first, path: name.slice(slash + 1) };
}

function invalid(text: string, reason: string, hint = "write REGISTRY/NAME:TAG, such as registry.dagger.io/engine:v0.21.8"): RunnerError {
  // What stands before an @ may be a login that has no place here.
  const shown = /^[^/]*:[^/]*@/.test(text) && !/@sha\d/.test(text) ? `***${text.slice(text.lastIndexOf("@"))}` : text;
  return new RunnerError("INVALID_URL", `"${shown.slice(0, 200)}" is no name of an image: ${reason}`, { hint });
}
