import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core";

import type { DockerClient } from "./docker-client.ts";
import { followImageSteps } from "./image-steps.ts";
import { createLayerProgress } from "./layer-progress.ts";
import { registryAuth } from "./registry-auth.ts";

export interface PullImageOptions extends CallOptions {
  /** The image's registry, as its name has it. */
  readonly registry: string;
  readonly login: { readonly username: string; readonly secret: string } | undefined;
  readonly platform?: string | undefined;
}

/** Pulls the image of that name and tells the progress. Fails with IMAGE_PULL_FAILED, ABORTED, or as a request to the daemon does. */
export async function pullImage(client: DockerClient, reference: string, options: PullImageOptions): Promise<void> {
  const { registry, login, platform, report, signal } = options;
  throwIfAborted(signal);
  const progress = createLayerProgress({
    id: "image-pull",
    message: `pulling ${reference}`,
    moving: "Downloading",
    arrived: ["Download complete", "Already exists", "Pull complete"],
    report,
  });
  const [, name = "", , tag, digest] = /^(.*?)(:([^/:@]*))?(?:@(.*))?$/.exec(reference) ?? [];
  const auth = registryAuth({ registry, login });
  try {
    const { body } = await client.request({
      method: "POST",
      path: "/images/create",
      query: { fromImage: name, tag: digest ?? (tag || "latest"), platform },
      headers: auth === undefined ? undefined : { "X-Registry-Auth": auth },
      signal,
    });
    await followImageSteps(body, progress.push, "a pull");
    progress.end();
  } catch (error) {
    throwIfAborted(signal);
    throw pullError(error, { reference, registry, loggedIn: login !== undefined });
  }
}

interface PullFacts {
  readonly reference: string;
  readonly registry: string;
  readonly loggedIn: boolean;
}

function pullError(error: unknown, { reference, registry, loggedIn }: PullFacts): RunnerError {
  // Without a status the daemon didn't answer at all.
  if (RunnerError.is(error) && error.details?.["status"] === undefined) return error;
  const words = error instanceof Error ? error.message : String(error);
  return new RunnerError("IMAGE_PULL_FAILED", `the image ${reference} can't be pulled: ${words}`, {
    hint: registryHint(words, { registry, loggedIn, work: "pull" }),
    cause: error,
    driver: "docker",
    details: { image: reference, registry, loggedIn },
  });
}

/** What to do about the words with which a daemon refuses a pull or a push. */
export function registryHint(words: string, facts: { readonly registry: string; readonly loggedIn: boolean; readonly work: "pull" | "push" }): string {
  const { registry, loggedIn, work } = facts;
  if (/no space left on device|disk quota exceeded/i.test(words)) return "make room on the daemon's disk: anyrunner du, anyrunner prune, docker system prune";
  if (/unauthorized|denied|authentication required|no basic auth|forbidden/i.test(words))
    return loggedIn ? `renew the login: docker login ${registry}; or check the name` : `log in: docker login ${registry}; or check the name`;
  if (/manifest unknown|not found|does not exist|no matching manifest/i.test(words)) return "check name, tag and platform of the image";
  if (/no such host|dial tcp|i\/o timeout|connection refused|TLS|x509|proxy|HTTP response to HTTPS/i.test(words))
    return `check whether the Docker daemon reaches ${registry}: the ${work} is the daemon's, with its own proxy and certificates`;
  return `${work} it by hand to see more`;
}
