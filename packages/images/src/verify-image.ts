import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core";
import { createDemultiplexer, readContainerFile, type DockerClient } from "@anyrunner/docker-endpoint";
import { ENGINE_CONFIG_FILE, type Check } from "@anyrunner/engine-container";

import { IMAGE_LABEL } from "./plan-image.ts";
import { environmentOf, inCreatedContainer, inspectImage, platformOf, type InspectedImage } from "./source-image.ts";
import { authorityPaths } from "./verify/authority-paths.ts";
import { gpuChecks } from "./verify/gpu-checks.ts";
import { imageChecks, type EngineExpectation } from "./verify/image-checks.ts";
import { parseSeen, SEEN_SCRIPT, TOOLKIT_CONFIG, type SeenInImage } from "./verify/seen-in-image.ts";

export interface VerifyImageOptions extends CallOptions {
  readonly client: DockerClient;
  readonly image: string;
  /** Whether the image has to serve GPUs. Default: whether it says so. */
  readonly gpu?: boolean | undefined;
  /** What the image was made of, if that is there: entrypoint and variables have to be the same. Default: the one that its label names. */
  readonly engine?: string | undefined;
}

export interface VerifiedImage {
  readonly image: string;
  readonly id: string;
  /** None has failed. */
  readonly ok: boolean;
  readonly checks: readonly Check[];
}

const SCRIPT_BUDGET_MS = 180_000;
const OUTPUT_LIMIT = 64 * 1024;

/**
 * Looks whether an engine can run from an image: at what it says of itself, and from within, in a container without network, privileges or the
 * entrypoint. What is wrong is a check that failed. Fails with NOT_FOUND where the daemon has no such image, ABORTED.
 */
export async function verifyImage(options: VerifyImageOptions): Promise<VerifiedImage> {
  const { client, image: reference, signal } = options;
  throwIfAborted(signal);
  const image = await inspectImage(client, reference, { signal });
  if (image === undefined)
    throw new RunnerError("NOT_FOUND", `the Docker daemon has no image ${reference}`, { hint: "build it, or pull it", details: { image: reference } });
  const env = environmentOf(image);
  const gpu = options.gpu ?? Boolean(env["_EXPERIMENTAL_DAGGER_GPU_SUPPORT"]);
  const facts = {
    platform: platformOf(image),
    entrypoint: image.Config.Entrypoint ?? [],
    user: image.Config.User ?? "",
    env,
    gpu,
    expected: await expectation(client, image, options),
    ...(await lookInside(client, image, signal)),
  };
  const checks = [...imageChecks(facts), ...(gpu ? gpuChecks(facts) : [])];
  return { image: reference, id: image.Id, ok: checks.every(({ status }) => status !== "failed"), checks };
}

/** An engine's image that isn't here any more is no failure of this one. */
async function expectation(client: DockerClient, image: InspectedImage, { engine, signal }: VerifyImageOptions): Promise<EngineExpectation | undefined> {
  const labels = image.Config.Labels ?? {};
  const named = engine ?? (labels[IMAGE_LABEL] === undefined ? undefined : labels["org.opencontainers.image.base.name"]);
  const source = named === undefined ? undefined : await inspectImage(client, named, { signal });
  return source && { name: named ?? "", entrypoint: source.Config.Entrypoint ?? [], env: environmentOf(source) };
}

interface Inside {
  readonly seen: SeenInImage | undefined;
  /** Why nothing was seen. */
  readonly blind: string;
  readonly engineJson: string | undefined;
  readonly lost: readonly string[];
  readonly toolkitConfig: string | undefined;
}

async function lookInside(client: DockerClient, { Id: id }: InspectedImage, signal: AbortSignal | undefined): Promise<Inside> {
  return inCreatedContainer(client, { Image: id, Entrypoint: ["sh"], Cmd: ["-c", SEEN_SCRIPT], User: "0" }, { signal }, async (container) => {
    const read = (path: string) => readContainerFile(client, container, path, { signal });
    const engineJson = await read(ENGINE_CONFIG_FILE);
    const lost: string[] = [];
    for (const path of authorityPaths(engineJson)) if ((await read(path)) === undefined) lost.push(path);
    const files = { engineJson, lost, toolkitConfig: await read(TOOLKIT_CONFIG) };
    try {
      const output = await runToEnd(client, container, AbortSignal.any([AbortSignal.timeout(SCRIPT_BUDGET_MS), ...(signal === undefined ? [] : [signal])]));
      const seen = parseSeen(output);
      return { ...files, seen, blind: seen === undefined ? `its shell said: ${output.trim().slice(-500)}` : "" };
    } catch (error) {
      throwIfAborted(signal);
      return { ...files, seen: undefined, blind: error instanceof Error ? error.message : String(error) };
    }
  });
}

/** Starts a container and gives what it wrote. */
async function runToEnd(client: DockerClient, container: string, signal: AbortSignal): Promise<string> {
  await client.json({ method: "POST", path: `/containers/${container}/start`, signal });
  await client.json({ method: "POST", path: `/containers/${container}/wait`, signal });
  const { body } = await client.request({ path: `/containers/${container}/logs`, query: { stdout: true, stderr: true }, signal });
  let text = "";
  const sink = (chunk: Buffer) => void (text = (text + chunk.toString("utf8")).slice(0, OUTPUT_LIMIT));
  const demultiplexer = createDemultiplexer({ stdout: sink, stderr: sink });
  for await (const chunk of body as AsyncIterable<Buffer>) demultiplexer.push(chunk);
  return text;
}
