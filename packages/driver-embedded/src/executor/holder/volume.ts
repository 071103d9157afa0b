import type { Buffer } from "node:buffer";
import { createHash } from "node:crypto";
import { Readable } from "node:stream";

import { RunnerError } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";

import { OWNER, OWNER_LABEL } from "../labels.ts";
import { tarEnd, tarEntry } from "../tar-rewrite.ts";
import { holderProgram } from "./program.ts";

/** Where the volume is mounted: below /dev, a mount leaves nothing in the container's own file system. */
export const HOLDER_FOLDER = "/dev/.embed";
export const HOLDER_PATH = `${HOLDER_FOLDER}/holder`;

const FILL_FOLDER = "/.anyrunner";

export interface HolderVolume {
  readonly name: string;
  /** Makes sure that the volume exists; it is filled through a container of `image` that never starts. */
  ensure(options: { readonly image: string; readonly labels: Readonly<Record<string, string>>; readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Fills the volume again, as someone emptied it, or another process died while it filled it. */
  fill(options: { readonly image: string; readonly labels: Readonly<Record<string, string>>; readonly signal?: AbortSignal | undefined }): Promise<void>;
}

/**
 * The volume with the holder program, named by its contents: all executors of one daemon share it and it stays, like a cache
 * of a few kilobytes. Fails with UNSUPPORTED for an architecture without a program.
 */
export function createHolderVolume(client: DockerClient, options: { readonly platform: string; readonly name?: string | undefined }): HolderVolume {
  const { platform } = options;
  const program = holderProgram(platform.split("/")[1] ?? "");
  if (program === undefined) {
    throw new RunnerError("UNSUPPORTED", `the embedded runner has no program for ${platform}`, { hint: "use a container engine on amd64 or arm64" });
  }
  const name = options.name ?? `anyrunner-embedded-holder-${createHash("sha256").update(program).digest("hex").slice(0, 12)}`;
  let present: Promise<void> | undefined;

  const volume: HolderVolume = {
    name,
    async ensure(options) {
      present ??= (async () => {
        const found = await client.request({ path: `/volumes/${name}`, expect: [404] });
        found.body.resume();
        if (found.status === 404) await volume.fill({ ...options, signal: undefined });
      })();
      present.catch(() => (present = undefined));
      await present;
    },
    async fill({ image, labels, signal }) {
      await client.json({ method: "POST", path: "/volumes/create", json: { Name: name, Labels: { [OWNER_LABEL]: OWNER } }, signal });
      const { Id: id } = await client.json<{ Id: string }>({
        method: "POST",
        path: "/containers/create",
        json: {
          Image: image,
          Entrypoint: [HOLDER_PATH],
          Labels: labels,
          HostConfig: { NetworkMode: "none", Mounts: [{ Type: "volume", Source: name, Target: FILL_FOLDER, VolumeOptions: { NoCopy: true } }] },
        },
        signal,
      });
      try {
        const answer = await client.request({ method: "PUT", path: `/containers/${id}/archive`, query: { path: FILL_FOLDER }, body: archive(program), signal });
        answer.body.resume();
      } finally {
        const removed = await client.request({ method: "DELETE", path: `/containers/${id}`, query: { force: true, v: true }, expect: [404] });
        removed.body.resume();
      }
    },
  };
  return volume;
}

function archive(program: Buffer): Readable {
  return Readable.from([tarEntry({ name: "holder", mode: 0o555, contents: program }), tarEnd()], { objectMode: false });
}
