import { Readable } from "node:stream";

import { RunnerError } from "@anyrunner/core/driver";
import { dockerTransportError, type DockerClient } from "@anyrunner/docker-endpoint";

import type { ExecutorCall, ResolvedImage } from "./executor.ts";
import { inspectImage, resolvedImage } from "./images.ts";
import { progressError, readProgressLines } from "./progress-lines.ts";
import { sendTar } from "./send-tar.ts";
import { rewriteTar, tarEntry } from "./tar-rewrite.ts";

/**
 * Loads an image from what `docker save` writes, from an OCI layout, or from a mixture as the engine writes. The daemon gets
 * a manifest of ours: an old one can't read OCI layouts, and the archive's own would move the user's tags.
 */
export async function importArchive(client: DockerClient, archive: Readable, options: ExecutorCall & { readonly platform: string }): Promise<ResolvedImage> {
  const files = new Map<string, Buffer>();
  const tar = rewriteTar(archive, {
    entry: (header) => {
      const name = plainName(header.name);
      if (name === "manifest.json" || name === "index.json" || name === "repositories") return "take";
      return header.size <= METADATA_LIMIT_BYTES && name.startsWith("blobs/sha256/") ? "capture" : "keep";
    },
    captured: (header, contents) => {
      const name = plainName(header.name);
      if (name === "manifest.json" || contents[0] === OPENING_BRACE) files.set(name, contents);
    },
    append: () => [tarEntry({ name: "manifest.json", mode: 0o644, contents: Buffer.from(JSON.stringify([dockerManifest(files, options.platform)])) })],
  });
  const answer = await sendTar(client, Readable.from(tar, { objectMode: false }), {
    method: "POST",
    path: "/images/load",
    query: { quiet: true },
    signal: options.signal,
  });
  const id = await readLoaded(client, answer.body);
  const image = await inspectImage(client, id, options.signal);
  if (image === undefined) throw new RunnerError("INTERNAL", `the loaded image ${id} is gone`);
  return resolvedImage(image, undefined);
}

const METADATA_LIMIT_BYTES = 4 * 1024 * 1024;
const OPENING_BRACE = "{".charCodeAt(0);

function plainName(name: string): string {
  return name.replace(/^\.\//, "");
}

interface DockerManifest {
  readonly Config: string;
  readonly RepoTags: null;
  readonly Layers: readonly string[];
}

interface Descriptor {
  readonly digest: string;
  readonly mediaType?: string;
  readonly platform?: { readonly os?: string; readonly architecture?: string };
}

interface OciManifest {
  readonly manifests?: readonly Descriptor[];
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
}

function dockerManifest(files: ReadonlyMap<string, Buffer>, platform: string): DockerManifest {
  const parse = <T>(name: string): T | undefined => {
    const contents = files.get(name);
    return contents && (JSON.parse(contents.toString("utf8")) as T);
  };
  const own = parse<readonly { readonly Config: string; readonly Layers: readonly string[] }[]>("manifest.json")?.[0];
  if (own !== undefined) return { Config: own.Config, RepoTags: null, Layers: own.Layers };
  let manifest = parse<OciManifest>("index.json");
  while (manifest?.manifests !== undefined) manifest = parse<OciManifest>(blobPath(choose(manifest.manifests, platform)));
  if (manifest?.config === undefined)
    throw new RunnerError("INVALID_OPTION", "the archive holds no container image", {
      hint: "give a file that `docker save` wrote, or an OCI layout as a tar",
    });
  return { Config: blobPath(manifest.config), RepoTags: null, Layers: (manifest.layers ?? []).map(blobPath) };
}

function choose(manifests: readonly Descriptor[], platform: string): Descriptor {
  const fitting = manifests.find((entry) => `${entry.platform?.os}/${entry.platform?.architecture}` === platform);
  const chosen = fitting ?? manifests[0];
  if (chosen === undefined) throw new RunnerError("INVALID_OPTION", "the archive's index lists no image");
  return chosen;
}

function blobPath({ digest }: Descriptor): string {
  return `blobs/${digest.replace(":", "/")}`;
}

async function readLoaded(client: DockerClient, body: Readable): Promise<string> {
  let id: string | undefined;
  try {
    for await (const line of readProgressLines(body)) {
      const failure = progressError(line);
      if (failure !== undefined) throw new RunnerError("COMMAND_FAILED", `loading the image archive failed: ${failure}`);
      id = /sha256:[0-9a-f]{64}/.exec(line.stream ?? "")?.[0] ?? id;
    }
  } catch (error) {
    throw dockerTransportError(error, client.endpoint);
  }
  if (id === undefined) throw new RunnerError("COMMAND_FAILED", "the container engine loaded nothing from the archive");
  return id;
}
