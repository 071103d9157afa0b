import { createHash } from "node:crypto";
import type { Readable } from "node:stream";

import { RunnerError } from "@anyrunner/core/driver";
import { dockerTransportError, type DockerClient } from "@anyrunner/docker-endpoint";

import type { ExecutorCall, ImageConfig, ResolvedImage, Snapshot } from "./executor.ts";
import { parseImageReference } from "./image-reference.ts";
import { DIGEST_LABEL, MOUNT_POINTS_LABEL, OWNER, OWNER_LABEL, SNAPSHOT_REPOSITORY } from "./labels.ts";
import { encodeMountPoints } from "./mount-points.ts";
import { progressError, readProgressLines } from "./progress-lines.ts";
import { sendTar } from "./send-tar.ts";

/** What `/images/NAME/json` answers, as far as it is used. */
export interface DockerImage {
  readonly Id: string;
  readonly RepoDigests?: readonly string[] | null;
  readonly RootFS?: { readonly Layers?: readonly string[] | null };
  readonly Os?: string;
  readonly Architecture?: string;
  readonly Variant?: string;
  readonly Config?: {
    readonly Env?: readonly string[] | null;
    readonly WorkingDir?: string;
    readonly User?: string;
    readonly Entrypoint?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly ExposedPorts?: Readonly<Record<string, unknown>> | null;
    readonly Volumes?: Readonly<Record<string, unknown>> | null;
  } | null;
}

/** The image of that name or id as the daemon has it; undefined when it has none. */
export async function inspectImage(client: DockerClient, name: string, signal: AbortSignal | undefined): Promise<DockerImage | undefined> {
  try {
    return await client.json<DockerImage>({ path: `/images/${name}/json`, signal });
  } catch (error) {
    if (RunnerError.is(error) && error.code === "NOT_FOUND") return undefined;
    throw error;
  }
}

export function snapshotOf(image: DockerImage): Snapshot {
  return { image: image.Id.startsWith("sha256:") ? image.Id : `sha256:${image.Id}`, layers: image.RootFS?.Layers?.length ?? 0 };
}

/** `reference` is the name that the user gave, to pick the digest of the same repository. */
export function resolvedImage(image: DockerImage, reference: string | undefined): ResolvedImage {
  const snapshot = snapshotOf(image);
  const repository = reference === undefined ? undefined : parseImageReference(reference).repository;
  const pinned = image.RepoDigests?.find((entry) => parseImageReference(entry).repository === repository);
  return { snapshot, reference: pinned ?? snapshot.image, config: imageConfig(image) };
}

export function platformOf(image: DockerImage): string {
  return [image.Os || "linux", image.Architecture || "amd64", image.Variant].filter(Boolean).join("/");
}

/** The tag of a snapshot: the digest where it fits into a tag, else a hash of it. */
export function snapshotTag(digest: string): string {
  const tag = digest.replaceAll(":", "-");
  return /^\w[\w.-]{0,127}$/.test(tag) ? tag : createHash("sha256").update(digest).digest("hex");
}

/** The snapshot of that digest, if the daemon still has it. */
export async function findSnapshot(client: DockerClient, digest: string, signal: AbortSignal | undefined): Promise<Snapshot | undefined> {
  const image = await inspectImage(client, `${SNAPSHOT_REPOSITORY}:${snapshotTag(digest)}`, signal);
  return image === undefined ? undefined : snapshotOf(image);
}

/** Takes the name of a snapshot away; the image goes with its last name, unless a container or another image needs it. */
export async function forgetSnapshot(client: DockerClient, digest: string, signal: AbortSignal | undefined): Promise<void> {
  const answer = await client.request({ method: "DELETE", path: `/images/${SNAPSHOT_REPOSITORY}:${snapshotTag(digest)}`, expect: [200, 404, 409], signal });
  answer.body.resume();
}

/** Makes an image findable under a digest. */
export function tagSnapshot(client: DockerClient, image: string, digest: string, signal: AbortSignal | undefined): Promise<void> {
  return tagImage(client, image, `${SNAPSHOT_REPOSITORY}:${snapshotTag(digest)}`, signal);
}

/**
 * The labels of a snapshot as Dockerfile instructions; Podman's commit takes no others. All are written each time, as a
 * commit inherits those of its base.
 */
export function labelChanges(digest: string, mountPoints: readonly string[]): readonly string[] {
  const labels = { [OWNER_LABEL]: OWNER, [DIGEST_LABEL]: digest, [MOUNT_POINTS_LABEL]: encodeMountPoints(mountPoints) };
  return Object.entries(labels).map(([name, value]) => `LABEL ${JSON.stringify(name)}=${JSON.stringify(value)}`);
}

/** Makes an image of one layer from a tar stream, tagged and labelled as a snapshot. */
export async function importTree(client: DockerClient, tar: Readable, options: ExecutorCall & { readonly digest: string }): Promise<Snapshot> {
  const { digest, signal } = options;
  const id = await importImage(client, tar, { name: `${SNAPSHOT_REPOSITORY}:${snapshotTag(digest)}`, changes: labelChanges(digest, []), signal });
  const image = await inspectImage(client, id, signal);
  if (image === undefined) throw new RunnerError("INTERNAL", `the imported image ${id} is gone`);
  return snapshotOf(image);
}

export interface ImportImageOptions {
  /** `repository:tag`. */
  readonly name: string;
  /** Dockerfile instructions. */
  readonly changes: readonly string[];
  readonly signal?: AbortSignal | undefined;
}

/** Makes an image of one layer from a tar stream; gives its id. */
export async function importImage(client: DockerClient, tar: Readable, { name, changes, signal }: ImportImageOptions): Promise<string> {
  const query = new URLSearchParams([["fromSrc", "-"], ...changes.map((change): [string, string] => ["changes", change])]);
  const { body } = await sendTar(client, tar, { method: "POST", path: `/images/create?${query.toString()}`, signal });
  let id = "";
  try {
    for await (const line of readProgressLines(body)) {
      const failure = progressError(line);
      if (failure !== undefined) throw new RunnerError("COMMAND_FAILED", `making the image ${name} failed: ${failure}`);
      id = line.status?.trim() ?? id;
    }
  } catch (error) {
    throw dockerTransportError(error, client.endpoint);
  }
  if (id === "") throw new RunnerError("COMMAND_FAILED", `making the image ${name} gave no image`);
  // Podman ignores the tag of an import.
  await tagImage(client, id, name, signal);
  return id;
}

/** Gives an image another name, `repository:tag`; the tag is `latest` where none is said. */
export async function tagImage(client: DockerClient, image: string, name: string, signal: AbortSignal | undefined): Promise<void> {
  const colon = name.lastIndexOf(":");
  const [repo, tag] = colon > name.lastIndexOf("/") ? [name.slice(0, colon), name.slice(colon + 1)] : [name, "latest"];
  const answer = await client.request({ method: "POST", path: `/images/${image}/tag`, query: { repo, tag }, signal });
  answer.body.resume();
}

function imageConfig(image: DockerImage): ImageConfig {
  const config = image.Config ?? {};
  return {
    env: config.Env ?? [],
    workingDir: config.WorkingDir ?? "",
    user: config.User ?? "",
    entrypoint: config.Entrypoint ?? undefined,
    cmd: config.Cmd ?? undefined,
    labels: config.Labels ?? {},
    exposedPorts: Object.keys(config.ExposedPorts ?? {}),
    platform: platformOf(image),
  };
}
