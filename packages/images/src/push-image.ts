import { registryCredentials } from "@anyrunner/config";
import { RunnerError, throwIfAborted, type ErrorCode } from "@anyrunner/core";
import { createLayerProgress, followImageSteps, registryAuth, registryHint, type DockerClient } from "@anyrunner/docker-endpoint";
import { parseImageReference } from "@anyrunner/engine-container";

import type { ImageCallOptions } from "./source-image.ts";

export interface PushImageOptions extends ImageCallOptions {
  readonly client: DockerClient;
  /** `REGISTRY/NAME:TAG` of an image that the daemon has. */
  readonly tag: string;
}

export interface PushedImage {
  readonly tag: string;
  /** `sha256:…` of its manifest. */
  readonly digest: string;
  /** `REGISTRY/NAME@sha256:…`, which always means this image. */
  readonly reference: string;
}

/** What a daemon wants instead of a login. */
const NO_LOGIN = Buffer.from("{}").toString("base64");

/**
 * Pushes an image with the login that Docker's configuration has for its registry, and tells the progress. Fails with INVALID_OPTION for a name without
 * a registry, NOT_FOUND for an image that isn't there, AUTH_FAILED, CONNECTION_REFUSED, NAME_NOT_RESOLVED, TLS_FAILED, COMMAND_FAILED, ABORTED.
 */
export async function pushImage({ client, tag, env, signal, report }: PushImageOptions): Promise<PushedImage> {
  throwIfAborted(signal);
  const { registry, repository, tag: version, digest: fixed } = parseImageReference(tag);
  if (fixed !== undefined || version === undefined)
    throw new RunnerError("INVALID_OPTION", `${tag} is not pushed: its name needs a tag, and no digest`, { hint: "write REGISTRY/NAME:TAG" });
  if (registry === "docker.io" && repository.startsWith("library/"))
    throw new RunnerError("INVALID_OPTION", `${tag} names no registry`, { hint: `tag it REGISTRY/NAME:TAG, such as registry.example.com/engine:${version}` });
  const login = await registryCredentials({ host: registry, env, signal, report });
  const progress = createLayerProgress({ id: "image-push", message: `pushing ${tag}`, moving: "Pushing", arrived: ["Pushed", "Layer already exists"], report });
  const name = tag.slice(0, -(version.length + 1));
  let digest: string | undefined;
  try {
    const { body } = await client.request({
      method: "POST",
      path: `/images/${name}/push`,
      query: { tag: version },
      headers: { "X-Registry-Auth": registryAuth({ registry, login }) ?? NO_LOGIN },
      signal,
    });
    await followImageSteps(
      body,
      (step) => {
        digest = step.aux?.Digest ?? digest;
        progress.push(step);
      },
      "a push",
    );
  } catch (error) {
    throwIfAborted(signal);
    throw pushError(error, { tag, registry, loggedIn: login !== undefined });
  }
  progress.end();
  if (digest === undefined)
    throw new RunnerError("COMMAND_FAILED", `the daemon says no digest of ${tag}, which it has pushed`, { hint: "see whether the registry has it" });
  return { tag, digest, reference: `${name}@${digest}` };
}

interface PushFacts {
  readonly tag: string;
  readonly registry: string;
  readonly loggedIn: boolean;
}

function pushError(error: unknown, { tag, registry, loggedIn }: PushFacts): RunnerError {
  // Without a status the daemon didn't answer at all.
  if (RunnerError.is(error) && error.details?.["status"] === undefined) return error;
  const words = error instanceof Error ? error.message : String(error);
  const missing = /does not exist locally|no such image/i.test(words);
  return new RunnerError(missing ? "NOT_FOUND" : codeOf(words), `the image ${tag} can't be pushed: ${words}`, {
    hint: missing ? "build it with this tag" : registryHint(words, { registry, loggedIn, work: "push" }),
    cause: error,
    details: { image: tag, registry, loggedIn },
  });
}

function codeOf(words: string): ErrorCode {
  if (/unauthorized|denied|authentication required|no basic auth|forbidden/i.test(words)) return "AUTH_FAILED";
  if (/no such host/i.test(words)) return "NAME_NOT_RESOLVED";
  if (/connection refused/i.test(words)) return "CONNECTION_REFUSED";
  if (/x509|tls|HTTP response to HTTPS/i.test(words)) return "TLS_FAILED";
  return "COMMAND_FAILED";
}
