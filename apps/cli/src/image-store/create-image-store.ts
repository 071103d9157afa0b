import { RunnerError } from "@anyrunner/core";
import type { ImageStore } from "@anyrunner/engine";

import { createDockerImageStore } from "./docker-image-store.ts";
import { createProgramImageStore } from "./program-image-store.ts";

export interface CreateImageStoreOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Of the runner's URL: a runner in containers has its own container engine's images. */
  readonly scheme?: string | undefined;
}

/** The official client's variable for it (engine protocol 1.8): its values are the schemes of runners that are images. */
const VARIABLE = "_EXPERIMENTAL_DAGGER_RUNNER_IMAGESTORE";

const RUNTIMES = ["docker", "podman", "nerdctl", "finch", "apple"] as const;
type Runtime = (typeof RUNTIMES)[number];

const PROGRAMS: Readonly<
  Record<Exclude<Runtime, "docker">, { readonly command: string; readonly words?: readonly string[]; readonly check: readonly string[] }>
> = {
  podman: { command: "podman", check: ["info"] },
  nerdctl: { command: "nerdctl", check: ["info"] },
  finch: { command: "finch", check: ["info"] },
  apple: { command: "container", words: ["image"], check: ["system", "status"] },
};
const CHECK_BUDGET_MS = 10_000;

/**
 * The images that an engine may load from this machine or leave here: of the container engine that the variable of the official client
 * names, else of the runner's own, else of the first that answers. Looked for with the first image. What was configured is used or
 * fails; NOT_AVAILABLE says of each other why not.
 */
export function createImageStore(options: CreateImageStoreOptions): ImageStore {
  let found: Promise<ImageStore> | undefined;
  const find = (signal: AbortSignal) => {
    found ??= findStore(options, signal).catch((error: unknown) => {
      found = undefined;
      throw error;
    });
    return found;
  };
  return {
    load: async (archive, image) => (await find(image.signal)).load(archive, image),
    save: async (image) => (await find(image.signal)).save(image),
  };
}

async function findStore({ env, scheme = "" }: CreateImageStoreOptions, signal: AbortSignal): Promise<ImageStore> {
  const named = env[VARIABLE];
  const configured = named ? runtimeNamed(named) : RUNTIMES.find((runtime) => scheme.split(/[-+]/).includes(runtime));
  if (configured !== undefined) return storeOf(configured, env);
  const reasons: string[] = [];
  for (const runtime of RUNTIMES) {
    const reason = await whyNot(runtime, env, signal);
    if (reason === undefined) return storeOf(runtime, env);
    reasons.push(`${runtime}: ${reason}`);
  }
  throw new RunnerError("NOT_AVAILABLE", `no container engine here has images to give or take: ${reasons.join("; ")}`, {
    hint: "start Docker or Podman",
  });
}

function runtimeNamed(name: string): Runtime {
  const runtime = RUNTIMES.find((known) => name === `${known}-image`);
  if (runtime !== undefined) return runtime;
  throw new RunnerError("UNSUPPORTED", `${VARIABLE} names ${JSON.stringify(name)}, which is no image store that is known here`, {
    hint: `use one of ${RUNTIMES.map((known) => `${known}-image`).join(", ")}`,
  });
}

function storeOf(runtime: Runtime, env: CreateImageStoreOptions["env"]): ImageStore {
  return runtime === "docker" ? createDockerImageStore({ env }) : createProgramImageStore({ ...PROGRAMS[runtime], env });
}

/** Why the runtime can't be used; `undefined` when it can, or was configured, so that its own failure has to be told. */
async function whyNot(runtime: Runtime, env: CreateImageStoreOptions["env"], signal: AbortSignal): Promise<string | undefined> {
  try {
    return await (runtime === "docker" ? whyNotDocker(env, signal) : whyNotProgram(PROGRAMS[runtime], env, signal));
  } catch (error) {
    if (signal.aborted || !RunnerError.is(error)) throw error;
    return error.message;
  }
}

async function whyNotDocker(env: CreateImageStoreOptions["env"], signal: AbortSignal): Promise<undefined> {
  const { createDockerClient, resolveDockerEndpoint } = await import("@anyrunner/docker-endpoint");
  const endpoint = await resolveDockerEndpoint({ env });
  if (endpoint.from.kind !== "default") return;
  const client = createDockerClient(endpoint);
  try {
    (await client.request({ path: "/_ping", signal: AbortSignal.any([signal, AbortSignal.timeout(CHECK_BUDGET_MS)]) })).body.resume();
  } finally {
    client.close();
  }
}

async function whyNotProgram(
  { command, check }: { readonly command: string; readonly check: readonly string[] },
  env: CreateImageStoreOptions["env"],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { runProgram } = await import("@anyrunner/exec");
  const { exitCode, stderr } = await runProgram({ command, args: check, env, signal, timeoutMs: CHECK_BUDGET_MS });
  return exitCode === 0 ? undefined : (stderr.trim().split("\n").at(-1) ?? `exit code ${exitCode}`);
}
