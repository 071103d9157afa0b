import { Readable } from "node:stream";

import { RunnerError } from "@anyrunner/core/driver";
import { dockerTransportError, type DockerClient } from "@anyrunner/docker-endpoint";

import { sendTar } from "./send-tar.ts";
import { rewriteTar, tarEnd, type TarHeader } from "./tar-rewrite.ts";

export interface ReadFilesOptions {
  readonly container: string;
  /** Absolute. */
  readonly path: string;
  /** Directories that only exist as something was mounted there; absolute. */
  readonly mountPoints: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/**
 * A path of a container as a tar stream whose first entry is the path's own name, without what the container engine adds to
 * every container. Fails with NOT_FOUND.
 */
export async function readContainerFiles(client: DockerClient, options: ReadFilesOptions): Promise<Readable> {
  const { container, path, signal } = options;
  const { status, body } = await client.request({ path: `/containers/${container}/archive`, query: { path }, expect: [404], signal });
  if (status === 404) {
    body.resume();
    throw missing(path);
  }
  const parent = path.slice(0, path.lastIndexOf("/") + 1);
  const absolute = (name: string) => (path === "/" ? `/${name.replace(/^\.?\/+/, "")}` : `${parent}${name}`).replace(/(?<=.)\/$/, "");
  if (!isTouched(path, options.mountPoints)) return body;
  const decide = createTreeFilter(options.mountPoints);
  const tar = rewriteTar(body, { entry: (header) => decide(absolute(header.name), header) });
  const first = await tar.next();
  if (first.done === true || first.value.equals(tarEnd())) throw missing(path);
  return streamOf(client, first.value, tar);
}

/** The whole file system of a container as a tar stream, for an image of one layer. */
export async function exportContainer(client: DockerClient, options: Omit<ReadFilesOptions, "path">): Promise<Readable> {
  const { body } = await client.request({ path: `/containers/${options.container}/export`, signal: options.signal });
  const decide = createTreeFilter(options.mountPoints);
  return streamOf(client, Buffer.alloc(0), rewriteTar(body, { entry: (header) => decide(`/${header.name.replace(/\/$/, "")}`, header) }));
}

/** Unpacks a tar stream below a directory that exists. */
export async function writeContainerFiles(
  client: DockerClient,
  options: { readonly container: string; readonly path: string; readonly tar: Readable; readonly signal?: AbortSignal | undefined },
): Promise<void> {
  const { container, path, tar, signal } = options;
  const answer = await sendTar(client, tar, { method: "PUT", path: `/containers/${container}/archive`, query: { path }, signal });
  answer.body.resume();
}

/** Empty files that Docker and Podman put into every container as places for their own mounts. */
const ENGINE_FILES = new Set(["/.dockerenv", "/run/.containerenv", "/dev/console", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"]);
const ENGINE_FOLDERS = new Set(["/dev/pts", "/dev/shm", "/dev/.embed"]);
/** Would be missing where only the above are in them. */
const ENGINE_PARENTS = new Set(["/etc", "/run"]);

function createTreeFilter(mountPoints: readonly string[]): (path: string, header: TarHeader) => "keep" | "keep-if-filled" | "drop" {
  return (path, header) => {
    if (ENGINE_FILES.has(path) && header.type === "0" && header.size === 0) return "drop";
    if (path === "/etc/mtab" && header.linkName === "/proc/mounts") return "drop";
    if (header.type !== "5") return "keep";
    return ENGINE_FOLDERS.has(path) || ENGINE_PARENTS.has(path) || mountPoints.includes(path) ? "keep-if-filled" : "keep";
  };
}

/** Whether the filter could drop something at or below the path; else the stream is passed on as it is. */
function isTouched(path: string, mountPoints: readonly string[]): boolean {
  const below = path === "/" ? "/" : `${path}/`;
  const candidates = [...ENGINE_FILES, ...ENGINE_FOLDERS, ...ENGINE_PARENTS, ...mountPoints, "/etc/mtab"];
  return candidates.some((candidate) => candidate === path || candidate.startsWith(below));
}

function missing(path: string): RunnerError {
  return new RunnerError("NOT_FOUND", `there is no ${path} in the container`, { details: { path } });
}

function streamOf(client: DockerClient, first: Buffer, rest: AsyncGenerator<Buffer>): Readable {
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      if (first.length > 0) yield first;
      yield* rest;
    } catch (error) {
      throw dockerTransportError(error, client.endpoint);
    }
  }
  return Readable.from(chunks(), { objectMode: false });
}
