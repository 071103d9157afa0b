import type { Readable } from "node:stream";

import type { DockerClient, DockerRequest, DockerResponse } from "@anyrunner/docker-endpoint";

/** Sends a tar stream. When the stream itself breaks, its own error tells more than the request that broke with it. */
export async function sendTar(client: DockerClient, tar: Readable, request: Omit<DockerRequest, "body" | "json" | "headers">): Promise<DockerResponse> {
  try {
    return await client.request({ ...request, body: tar, headers: { "Content-Type": "application/x-tar" } });
  } catch (error) {
    throw tar.errored ?? error;
  }
}
