import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { readJson, type DockerClient, type DockerRequest } from "@anyrunner/docker-endpoint";
import type { EngineContainerPlan, EngineImage } from "@anyrunner/engine-container";

import { createRequest } from "./create-request.ts";
import { pullImage } from "./pull-image.ts";

export interface CreateEngineOptions extends CallOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pull: EngineImage["pull"];
}

/**
 * Creates the container, pulling its image when it has to; gives the id, or `undefined` when the name is taken meanwhile.
 * Fails with IMAGE_PULL_FAILED, NOT_FOUND for an image that must not be pulled, ALREADY_EXISTS for a volume in use.
 */
export async function createEngine(client: DockerClient, plan: EngineContainerPlan, options: CreateEngineOptions): Promise<string | undefined> {
  await refuseSharedVolume(client, plan, options);
  const pull = () => pullImage(client, plan.image, { ...options, platform: plan.platform });
  if (options.pull === "always") await pull();
  const first = await create(client, plan, options);
  if (first.kind !== "no-image") return idOf(first);
  if (options.pull === "never") {
    throw new RunnerError("NOT_FOUND", `the image ${imageOf(plan)} is not there, and must not be pulled (pull=never)`, {
      hint: "load the image, or leave pull=never away",
      driver: "docker",
      details: { image: plan.image },
    });
  }
  await pull();
  const second = await create(client, plan, options);
  if (second.kind !== "no-image") return idOf(second);
  throw new RunnerError("IMAGE_PULL_FAILED", `the image ${imageOf(plan)} was pulled, but the Docker daemon doesn't find it`, { driver: "docker" });
}

function imageOf({ image, platform }: EngineContainerPlan): string {
  return platform === undefined ? image : `${image} for ${platform}`;
}

type Creation = { readonly kind: "made"; readonly id: string } | { readonly kind: "name-taken" } | { readonly kind: "no-image" };

function idOf(creation: Creation): string | undefined {
  return creation.kind === "made" ? creation.id : undefined;
}

/** An abort does not cut the request: what it makes must be removed, not forgotten. */
async function create(client: DockerClient, plan: EngineContainerPlan, options: CreateEngineOptions): Promise<Creation> {
  throwIfAborted(options.signal);
  const request: DockerRequest = {
    method: "POST",
    path: "/containers/create",
    query: { name: plan.name, platform: plan.platform },
    json: createRequest(plan),
    expect: [409],
  };
  try {
    const { status, body } = await client.request(request);
    if (status === 409) {
      body.resume();
      return { kind: "name-taken" };
    }
    return { kind: "made", id: (await readJson<{ readonly Id: string }>(body)).Id };
  } catch (error) {
    if (RunnerError.is(error) && error.code === "NOT_FOUND" && /image/i.test(error.message)) return { kind: "no-image" };
    throw createError(error, plan);
  }
}

function createError(error: unknown, plan: EngineContainerPlan): unknown {
  if (!RunnerError.is(error) || error.details?.["status"] === undefined) return error;
  return new RunnerError(error.code, `the engine's container "${plan.name}" can't be made: ${error.message}`, {
    hint: error.hint ?? "correct the parameters of the URL",
    cause: error,
    driver: "docker",
    details: { container: plan.name },
  });
}

/** Two engines on one state folder: the second would wait for the first one's lock, or worse. */
async function refuseSharedVolume(client: DockerClient, plan: EngineContainerPlan, { signal }: CallOptions): Promise<void> {
  const users = await client.json<readonly { readonly Names: readonly string[] | null }[]>({
    path: "/containers/json",
    query: { filters: { volume: [plan.volume] } },
    signal,
  });
  const name = users
    .flatMap(({ Names: names }) => names ?? [])
    .map((text) => text.replace(/^\//, ""))
    .find((text) => text !== plan.name);
  if (name === undefined) return;
  throw new RunnerError("ALREADY_EXISTS", `the volume "${plan.volume}" is in use by the container "${name}": two engines can't share one`, {
    hint: "choose another one with volume=, or stop that container",
    driver: "docker",
    details: { volume: plan.volume, container: name },
  });
}
