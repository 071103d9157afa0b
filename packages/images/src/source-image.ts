import { randomUUID } from "node:crypto";

import { registryCredentials } from "@anyrunner/config";
import { RunnerError, type CallOptions, type JsonObject } from "@anyrunner/core";
import { pullImage, readContainerFile, readJson, type DockerClient } from "@anyrunner/docker-endpoint";
import { ENGINE_CONFIG_FILE, parseImageReference } from "@anyrunner/engine-container";

import { parseEngineJson } from "./parse-engine-json.ts";
import type { SourceImage } from "./recipe.ts";

export interface ImageCallOptions extends CallOptions {
  /** Where Docker's configuration is, with its logins. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface EnsureImageOptions extends ImageCallOptions {
  /** Default `missing`. */
  readonly pull?: "missing" | "always" | "never" | undefined;
  readonly platform?: string | undefined;
}

const REMOVE_BUDGET_MS = 120_000;

/** What `GET /images/NAME/json` says, as far as it matters here. */
export interface InspectedImage {
  readonly Id: string;
  readonly RepoDigests?: readonly string[] | null;
  readonly Os: string;
  readonly Architecture: string;
  readonly Size: number;
  readonly Config: {
    readonly User?: string;
    readonly Entrypoint?: readonly string[] | null;
    readonly Env?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
  };
}

/** The image as the daemon has it, pulled if need be. Fails with NOT_FOUND where it must not be pulled, IMAGE_PULL_FAILED, ABORTED. */
export async function ensureImage(client: DockerClient, reference: string, options: EnsureImageOptions): Promise<InspectedImage> {
  const { pull = "missing", platform, env, signal, report } = options;
  const present = pull === "always" ? undefined : await inspectImage(client, reference, { signal });
  if (present !== undefined && (platform === undefined || platformOf(present) === platform)) return present;
  if (pull === "never")
    throw new RunnerError("NOT_FOUND", `the image ${reference} is not there${platform === undefined ? "" : ` for ${platform}`}, and must not be pulled`, {
      hint: "load the image, or let it be pulled",
      details: { image: reference },
    });
  const { registry } = parseImageReference(reference);
  const login = await registryCredentials({ host: registry, env, signal, report });
  await pullImage(client, reference, { registry, login, platform, signal, report });
  const image = await inspectImage(client, reference, { signal });
  if (image !== undefined) return image;
  throw new RunnerError("IMAGE_PULL_FAILED", `the image ${reference} was pulled, but the Docker daemon doesn't find it`, { details: { image: reference } });
}

/** `undefined` where the daemon has no such image. */
export async function inspectImage(client: DockerClient, reference: string, { signal }: CallOptions): Promise<InspectedImage | undefined> {
  const { status, body } = await client.request({ path: `/images/${reference}/json`, expect: [404], signal });
  if (status === 200) return readJson<InspectedImage>(body);
  body.resume();
  return undefined;
}

export function platformOf({ Os, Architecture }: InspectedImage): string {
  return `${Os}/${Architecture}`;
}

/** What an image's variables are; the first `=` parts name and value. */
export function environmentOf({ Config }: InspectedImage): Readonly<Record<string, string>> {
  return Object.fromEntries((Config.Env ?? []).map((pair) => [pair.split("=", 1)[0] ?? "", pair.slice(pair.indexOf("=") + 1)]));
}

/** Looks at an engine's image: what it is made with, and its configuration. Nothing is started. Fails with WRONG_SERVER for what is no engine's image. */
export async function readSourceImage(client: DockerClient, reference: string, image: InspectedImage, options: CallOptions): Promise<SourceImage> {
  const entrypoint = image.Config.Entrypoint ?? [];
  if (entrypoint.length === 0)
    throw new RunnerError("WRONG_SERVER", `the image ${reference} is no engine's: it has no entrypoint`, {
      hint: "name the image of an engine, such as registry.dagger.io/engine:v0.21.8",
      details: { image: reference },
    });
  const digest = image.RepoDigests?.map((text) => text.split("@")).find(([name]) => name === reference.replace(/@.*$/, "").replace(/:[^/:]*$/, ""))?.[1];
  return {
    reference,
    ...(digest !== undefined && { digest }),
    platform: platformOf(image),
    entrypoint,
    env: environmentOf(image),
    engineJson: await readEngineJson(client, reference, image.Id, options),
  };
}

async function readEngineJson(client: DockerClient, reference: string, id: string, options: CallOptions): Promise<JsonObject> {
  const text = await inCreatedContainer(client, { Image: id }, options, (container) => readContainerFile(client, container, ENGINE_CONFIG_FILE, options));
  if (text === undefined || text.trim() === "") return {};
  return parseEngineJson(text, `${ENGINE_CONFIG_FILE} of the image ${reference}`);
}

/** Does something with a container that is made for it, and removed afterwards whatever happens. */
export async function inCreatedContainer<T>(
  client: DockerClient,
  request: object,
  { signal }: CallOptions,
  work: (container: string) => Promise<T>,
): Promise<T> {
  const name = `anyrunner-image-${randomUUID().slice(0, 12)}`;
  try {
    await client.json({ method: "POST", path: "/containers/create", query: { name }, json: { HostConfig: { NetworkMode: "none" }, ...request }, signal });
    return await work(name);
  } finally {
    await removeContainer(client, name);
  }
}

/** By its name, and without the caller's signal: an aborted request may have made it. What can't be removed doesn't hide the outcome. */
async function removeContainer(client: DockerClient, name: string): Promise<void> {
  const query = { force: true, v: true };
  const signal = AbortSignal.timeout(REMOVE_BUDGET_MS);
  const answer = await client.request({ method: "DELETE", path: `/containers/${name}`, query, expect: [404, 409], signal }).catch(() => undefined);
  answer?.body.resume();
}
