import { Readable } from "node:stream";

import { throwIfAborted, type CallOptions } from "@anyrunner/core";

import type { DockerClient } from "./docker-client.ts";
import { packTar } from "./tar.ts";

const BLOCK = 512;
const LIMIT_BYTES = 1024 * 1024;

/** The text of a file in a container, whether it runs or not; `undefined` when there is none, or none that small. */
export async function readContainerFile(client: DockerClient, container: string, path: string, { signal }: CallOptions): Promise<string | undefined> {
  const { status, body } = await client.request({ path: `/containers/${container}/archive`, query: { path }, expect: [404], signal });
  if (status === 404) {
    body.resume();
    return undefined;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LIMIT_BYTES) return undefined;
  }
  throwIfAborted(signal);
  const archive = Buffer.concat(chunks);
  const size = Number.parseInt(archive.subarray(124, 136).toString("latin1"), 8);
  const type = String.fromCodePoint(archive[156] ?? 0);
  return type === "0" || type === "\0" ? archive.subarray(BLOCK, BLOCK + size).toString("utf8") : undefined;
}

/** Writes a file into a folder of a container. Fails as a request does, with NOT_FOUND where there is no such folder. */
export async function writeContainerFile(
  client: DockerClient,
  container: string,
  file: { readonly folder: string; readonly name: string; readonly text: string },
  { signal }: CallOptions,
): Promise<void> {
  const archive = packTar([{ name: file.name, contents: Buffer.from(file.text) }]);
  const { body } = await client.request({
    method: "PUT",
    path: `/containers/${container}/archive`,
    query: { path: file.folder },
    headers: { "Content-Type": "application/x-tar", "Content-Length": String(archive.length) },
    body: Readable.from([archive]),
    signal,
  });
  body.resume();
}
