import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";

import { RunnerError } from "@anyrunner/core";
import { createDockerClient, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { interruptible } from "../interrupts.ts";

export interface ServeCommandOptions {
  /** `unix:///path` or `tcp://host:port`. */
  readonly listen: string;
  /** Folder for what the runner remembers. Default: below the user's cache folder. */
  readonly state?: string | undefined;
}

export interface BuildImageCommandOptions {
  /** `name:tag`. Default `anyrunner-runner:VERSION`. */
  readonly tag?: string | undefined;
}

/** Serves the embedded runner until a signal comes; its URL is the only line on standard output. */
export function serveCommand(context: CommandContext, { listen, state }: ServeCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const { defaultState, parseListenAddress, serveEmbedded } = await import("@anyrunner/driver-embedded");
    const address = parseListenAddress(listen);
    const endpoint = await resolveDockerEndpoint({ env: context.env });
    await checkDocker(endpoint, signal);
    const server = await serveEmbedded({ listen: address, endpoint, state: state === undefined ? defaultState(context.env) : resolve(context.cwd, state) });
    try {
      context.print(context.json ? JSON.stringify({ url: server.url }) : server.url);
      context.note(`until interrupted; use it from elsewhere: anyrunner run --runner ${server.url} -- PROGRAM`);
      await aborted(signal);
      return EXIT.success;
    } finally {
      await server.close();
    }
  });
}

/** Builds the container image of the embedded runner out of files of this machine, and prints its name. */
export function buildImageCommand(context: CommandContext, { tag = `anyrunner-runner:${context.version}` }: BuildImageCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const bundlePath = join(import.meta.dirname, "runner-image");
    if (!(await isFolder(bundlePath))) {
      throw new RunnerError("UNSUPPORTED", "the programs of the image are part of the built command only", {
        hint: "build apps/cli, then use its dist/bin.js",
      });
    }
    const { buildRunnerImage } = await import("@anyrunner/driver-embedded/image");
    const client = createDockerClient(await resolveDockerEndpoint({ env: context.env }));
    try {
      const id = await buildRunnerImage({ client, tag, bundlePath, signal });
      context.print(context.json ? JSON.stringify({ tag, id }) : tag);
      return EXIT.success;
    } finally {
      client.close();
    }
  });
}

/** A daemon without a container engine would only fail later, in each of its clients. */
async function checkDocker(endpoint: Parameters<typeof createDockerClient>[0], signal: AbortSignal): Promise<void> {
  const client = createDockerClient(endpoint);
  try {
    await client.apiVersion(signal);
  } finally {
    client.close();
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal.aborted) done();
    signal.addEventListener("abort", () => done(), { once: true });
  });
}

async function isFolder(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined))?.isDirectory() ?? false;
}
