import { RunnerError } from "@anyrunner/core";
import type { DockerClient } from "@anyrunner/docker-endpoint";
import type { ImageStore } from "@anyrunner/engine";

import { loadedImage } from "./loaded-image.ts";

/** The longest answer to a load that is looked at; it is a line or two. */
const ANSWER_BYTES = 1024 * 1024;

/**
 * Images of the Docker or Podman that the environment means, by its API. The endpoint is looked for with the first image.
 * Fails as the daemon's requests do; `load` with COMMAND_FAILED when the daemon refuses the archive,
 * `save` with NOT_FOUND when there is no such image.
 */
export function createDockerImageStore({ env }: { readonly env: Readonly<Record<string, string | undefined>> }): ImageStore {
  const connect = async () => {
    const { createDockerClient, resolveDockerEndpoint } = await import("@anyrunner/docker-endpoint");
    return createDockerClient(await resolveDockerEndpoint({ env }));
  };
  return {
    async load(archive, { name, signal }) {
      const client = await connect();
      try {
        const { body } = await client.request({
          method: "POST",
          path: "/images/load",
          query: { quiet: true },
          headers: { "Content-Type": "application/x-tar" },
          body: archive,
          signal,
        });
        const { readText } = await import("@anyrunner/docker-endpoint");
        await tagImage(client, answeredImage(await readText(body, { limitBytes: ANSWER_BYTES })), { name, signal });
      } finally {
        client.close();
      }
    },
    async save({ name, signal }) {
      const client = await connect();
      try {
        const { body } = await client.request({ path: `/images/${encodeURIComponent(name)}/get`, signal });
        return body.once("close", () => client.close());
      } catch (error) {
        client.close();
        if (!RunnerError.is(error) || error.code !== "NOT_FOUND") throw error;
        throw new RunnerError("NOT_FOUND", `the container engine has no image ${name}`, { cause: error, hint: "pull or build it first" });
      }
    },
  };
}

/** What the daemon's messages name as loaded; one of them may be an error. */
function answeredImage(answer: string): string {
  const messages = answer
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => JSON.parse(line) as { readonly stream?: string; readonly error?: string });
  const { error } = messages.find((message) => message.error !== undefined) ?? {};
  const image = loadedImage(messages.map(({ stream = "" }) => stream).join(""));
  if (error === undefined && image !== undefined) return image;
  throw new RunnerError("COMMAND_FAILED", `the container engine did not load the image: ${error ?? "it named none"}`);
}

async function tagImage(client: DockerClient, image: string, { name, signal }: { readonly name: string; readonly signal: AbortSignal }): Promise<void> {
  const [, repo, tag = "latest"] = /^(.+?)(?::([^:/]+))?$/.exec(name) ?? [];
  const { body } = await client.request({ method: "POST", path: `/images/${encodeURIComponent(image)}/tag`, query: { repo, tag }, signal });
  body.resume();
}
