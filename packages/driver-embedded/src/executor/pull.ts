import { RunnerError } from "@anyrunner/core/driver";
import { dockerTransportError, type DockerClient } from "@anyrunner/docker-endpoint";

import type { ExecutorCall, ResolvedImage, ResolveImageOptions } from "./executor.ts";
import { parseImageReference } from "./image-reference.ts";
import { inspectImage, platformOf, resolvedImage, type DockerImage } from "./images.ts";
import { progressError, readProgressLines, type ProgressLine } from "./progress-lines.ts";

/**
 * The image of that name, pulled when the daemon lacks it or has it for another platform only. An image that exists in one
 * platform alone is taken as it is, as the engine does. Fails with IMAGE_PULL_FAILED.
 */
export async function resolveImage(client: DockerClient, reference: string, options: ResolveImageOptions): Promise<ResolvedImage> {
  const present = await inspectImage(client, reference, options.signal);
  if (present !== undefined && fits(present, options.platform)) return resolvedImage(present, reference);
  try {
    await pull(client, reference, options);
  } catch (error) {
    if (present !== undefined && RunnerError.is(error) && error.code === "IMAGE_PULL_FAILED") return resolvedImage(present, reference);
    throw error;
  }
  const image = await inspectImage(client, reference, options.signal);
  if (image === undefined) throw pullFailed(reference, "the daemon does not have it after the pull");
  return resolvedImage(image, reference);
}

function fits(image: DockerImage, platform: string | undefined): boolean {
  if (platform === undefined) return true;
  const [system, architecture] = platformOf(image).split("/");
  const [wantedSystem, wantedArchitecture] = platform.split("/");
  return system === wantedSystem && architecture === wantedArchitecture;
}

async function pull(client: DockerClient, reference: string, options: ResolveImageOptions): Promise<void> {
  const { registry, repository, tag, digest } = parseImageReference(reference);
  const login = await options.credentials?.(registry);
  const report = createPullReport(reference, options);
  try {
    const { body } = await client.request({
      method: "POST",
      path: "/images/create",
      query: { fromImage: repository, tag: digest ?? tag, platform: options.platform },
      headers: login === undefined ? {} : { "X-Registry-Auth": authHeader(registry, login) },
      signal: options.signal,
    });
    for await (const line of readProgressLines(body)) {
      const failure = progressError(line);
      if (failure !== undefined) throw pullFailed(reference, failure);
      report.line(line);
    }
  } catch (error) {
    const known = dockerTransportError(error, client.endpoint);
    if (known.details?.["status"] === undefined) throw known;
    throw pullFailed(reference, known.message, known);
  } finally {
    report.done();
  }
}

function pullFailed(reference: string, reason: string, cause?: unknown): RunnerError {
  const denied = /denied|unauthorized|authentication|no basic auth/i.test(reason);
  return new RunnerError("IMAGE_PULL_FAILED", `the image ${reference} could not be pulled: ${reason}`, {
    hint: denied ? "check the name, and log in to the registry" : "check the name and whether the daemon reaches the registry",
    details: { image: reference, reason },
    cause,
  });
}

/** The form that the daemon wants; a token login has the user `<token>` or none. */
function authHeader(registry: string, login: { readonly username: string; readonly secret: string }): string {
  const serveraddress = registry === "docker.io" ? "https://index.docker.io/v1/" : registry;
  const isToken = login.username === "" || login.username === "<token>";
  const value = isToken ? { identitytoken: login.secret, serveraddress } : { username: login.username, password: login.secret, serveraddress };
  // base64url, with the padding that the daemon insists on.
  return Buffer.from(JSON.stringify(value)).toString("base64").replaceAll("+", "-").replaceAll("/", "_");
}

/** Sums the layers of one pull up into one running event. */
function createPullReport(reference: string, { report }: ExecutorCall): { line(line: ProgressLine): void; done(): void } {
  const layers = new Map<string, { readonly current: number; readonly total: number }>();
  const id = `pull ${reference}`;
  return {
    line({ id: layer, progressDetail, status }) {
      if (layer === undefined || progressDetail?.total === undefined || status !== "Downloading") return;
      layers.set(layer, { current: progressDetail.current ?? 0, total: progressDetail.total });
      const sum = (key: "current" | "total") => [...layers.values()].reduce((total, entry) => total + entry[key], 0);
      report?.({ type: "progress", id, message: `pulling ${reference}`, current: sum("current"), total: sum("total"), unit: "bytes" });
    },
    done: () => report?.({ type: "progress", id, message: `pulled ${reference}`, done: true }),
  };
}
