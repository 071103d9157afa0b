import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Readable } from "node:stream";

import { RunnerError } from "@anyrunner/core/driver";
import type { DockerClient } from "@anyrunner/docker-endpoint";

import { readFacts } from "../executor/facts.ts";
import { importImage } from "../executor/images.ts";
import { OWNER, OWNER_LABEL } from "../executor/labels.ts";
import { tarEnd, tarHeader, tarPadding } from "../executor/tar-rewrite.ts";
import { findProgramFiles } from "./program-files.ts";

export interface BuildRunnerImageOptions {
  readonly client: DockerClient;
  /** `name:tag` of the image. */
  readonly tag: string;
  /** Folder with `main.js` and `buildctl.js`, bundled with everything that they import. */
  readonly bundlePath: string;
  /** A Node.js for Linux of the daemon's architecture. Default: the one that runs this. */
  readonly nodePath?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const PROGRAM_FOLDER = "/usr/lib/anyrunner";

/**
 * Makes the embedded runner's own container image on the daemon, out of files of this machine: no registry and no internet is
 * asked. A container of it needs the socket of a container engine:
 * `docker run -d --name my-runner -v /var/run/docker.sock:/var/run/docker.sock IMAGE`, reached as
 * `docker-container://my-runner`. Gives the image's id. Fails with UNSUPPORTED for a Node.js that the daemon can't run.
 */
export async function buildRunnerImage(options: BuildRunnerImageOptions): Promise<string> {
  const { client, tag, signal } = options;
  const node = options.nodePath ?? process.execPath;
  const [program, facts] = await Promise.all([findProgramFiles(node), readFacts(client, signal)]);
  const wanted = facts.platform.split("/")[1];
  if (program.architecture !== wanted) {
    throw new RunnerError("UNSUPPORTED", `${node} is for ${program.architecture}, the container engine runs ${wanted}`, {
      hint: "give the path of a Node.js for the daemon's architecture",
    });
  }
  const bundle = (await readdir(options.bundlePath)).filter((name) => name.endsWith(".js"));
  const entries: readonly ImageEntry[] = [
    ...FOLDERS,
    { path: "/etc/passwd", contents: Buffer.from("root:x:0:0:root:/root:/sbin/nologin\n") },
    { path: "/etc/group", contents: Buffer.from("root:x:0:\n") },
    { path: "/etc/nsswitch.conf", contents: Buffer.from("hosts: files dns\n") },
    { path: `${PROGRAM_FOLDER}/package.json`, contents: Buffer.from('{"type":"module"}\n') },
    ...bundle.map((name) => ({ path: `${PROGRAM_FOLDER}/${name}`, file: join(options.bundlePath, name), mode: 0o755 })),
    { path: "/usr/bin/buildctl", link: "../lib/anyrunner/buildctl.js" },
    { path: "/usr/bin/node", file: node, mode: 0o755 },
    ...[...program.libraries].map(([path, file]) => ({ path, file, mode: 0o755 })),
  ];
  const tar = Readable.from(packEntries(withParents(entries)), { objectMode: false });
  return importImage(client, tar, { name: tag, changes: changes(program.searchFolders), signal });
}

type ImageEntry =
  | { readonly path: string; readonly folder: true; readonly mode?: number }
  | { readonly path: string; readonly contents: Buffer; readonly mode?: number }
  | { readonly path: string; readonly file: string; readonly mode?: number }
  | { readonly path: string; readonly link: string; readonly mode?: number };

const FOLDERS: readonly ImageEntry[] = [
  { path: "/tmp", folder: true, mode: 0o1777 },
  { path: "/root", folder: true, mode: 0o700 },
  { path: "/run", folder: true },
  { path: "/var", folder: true },
  { path: "/var/lib/dagger", folder: true, mode: 0o700 },
];

function changes(searchFolders: readonly string[]): readonly string[] {
  return [
    `ENTRYPOINT ["/usr/bin/node","${PROGRAM_FOLDER}/main.js"]`,
    "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    ...(searchFolders.length === 0 ? [] : [`ENV LD_LIBRARY_PATH=${searchFolders.join(":")}`]),
    "WORKDIR /",
    `LABEL ${OWNER_LABEL}=${OWNER}`,
  ];
}

/** Every folder on the way to an entry, before it: an image is unpacked as it is written. */
function withParents(entries: readonly ImageEntry[]): readonly ImageEntry[] {
  const named = new Set(entries.map(({ path }) => path));
  return entries.flatMap((entry) => {
    const parts = entry.path.split("/").slice(1, -1);
    const parents = parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`).filter((path) => !named.has(path));
    for (const path of parents) named.add(path);
    return [...parents.map((path): ImageEntry => ({ path, folder: true })), entry];
  });
}

async function* packEntries(entries: readonly ImageEntry[]): AsyncGenerator<Buffer> {
  for (const entry of entries) {
    const name = entry.path.slice(1);
    if ("folder" in entry) yield tarHeader({ name: `${name}/`, type: "5", mode: entry.mode ?? 0o755, size: 0 });
    else if ("link" in entry) yield tarHeader({ name, type: "2", mode: 0o777, size: 0, linkName: entry.link });
    else if ("contents" in entry)
      yield* [tarHeader({ name, type: "0", mode: entry.mode ?? 0o644, size: entry.contents.length }), entry.contents, tarPadding(entry.contents.length)];
    else {
      const { size } = await stat(entry.file);
      yield tarHeader({ name, type: "0", mode: entry.mode ?? 0o644, size });
      yield* createReadStream(entry.file, { end: Math.max(0, size - 1), highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>;
      yield tarPadding(size);
    }
  }
  yield tarEnd();
}
