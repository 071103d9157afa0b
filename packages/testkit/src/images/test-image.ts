import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { CONFORMANCE_PEER_SCRIPT } from "../conformance/conformance-peer.ts";
import { makeBusyboxRootfs } from "./busybox-rootfs.ts";
import { callDocker } from "./docker-call.ts";
import { oneAtATime } from "./one-at-a-time.ts";
import { tarFolder } from "./tar-archive.ts";

/** Where images are kept that don't come from a registry. */
export interface ImageStore {
  has(reference: string): Promise<boolean>;
  /** Makes an image of a root file system; `changes` are lines of a Dockerfile. */
  add(reference: string, archive: Buffer, changes: readonly string[]): Promise<void>;
}

/** Where the image is to be, and from what it is made. */
export interface TestImageOptions {
  /** Default: the Docker API behind the socket. */
  readonly store?: ImageStore;
  /** Socket of a Docker API. Default: `/var/run/docker.sock`. */
  readonly socketPath?: string;
  /** A statically linked busybox of this machine's architecture. Default `/bin/busybox`. */
  readonly busybox?: string;
}

const CHANGES = ["ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", 'CMD ["sh"]'];

/** Makes sure that the daemon has the image `busybox:test`, made from this machine's busybox; gives its reference. */
export function ensureBusyboxImage(options: TestImageOptions = {}): Promise<string> {
  return ensureImage("busybox:test", {}, options);
}

/**
 * Makes sure that the daemon has an image whose `buildctl` is the conformance peer and whose command waits, one line in its log
 * first; gives its reference. The tag follows the content, so a changed peer makes a new image.
 */
export function ensureConformanceImage(options: TestImageOptions = {}): Promise<string> {
  const files = { "/usr/bin/buildctl": CONFORMANCE_PEER_SCRIPT, "/usr/bin/wait-for-stop": WAIT_SCRIPT };
  const tag = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 12);
  return ensureImage(`anyrunner-test-peer:${tag}`, files, options, ['CMD ["/usr/bin/wait-for-stop"]']);
}

/** The same image for a driver that makes engines: its entrypoint takes an engine's arguments and passes over them. */
export function ensureConformanceEngineImage(options: TestImageOptions = {}): Promise<string> {
  const files = { "/usr/bin/buildctl": CONFORMANCE_PEER_SCRIPT, "/usr/bin/wait-for-stop": WAIT_SCRIPT };
  const tag = createHash("sha256").update(JSON.stringify(files)).digest("hex").slice(0, 12);
  return ensureImage(`anyrunner-test-engine:${tag}`, files, options, ['ENTRYPOINT ["/usr/bin/wait-for-stop"]']);
}

/** What the log of a container of these images begins with. */
export const CONFORMANCE_IMAGE_LOG = "the conformance peer is ready";

const WAIT_SCRIPT = `#!/bin/sh
trap 'exit 0' TERM INT
echo "${CONFORMANCE_IMAGE_LOG}"
while :; do sleep 3600 & wait $!; done
`;

async function ensureImage(
  reference: string,
  files: Readonly<Record<string, string>>,
  options: TestImageOptions,
  changes: readonly string[] = [],
): Promise<string> {
  const store = options.store ?? dockerStore(options.socketPath ?? "/var/run/docker.sock");
  if (await store.has(reference)) return reference;
  // Two test files that begin on a fresh machine would both make it, and the later one take the name from the image that the other uses.
  return oneAtATime(reference.replaceAll(/[^\w.-]/g, "-"), async () => {
    if (!(await store.has(reference))) await makeImage(store, reference, files, options, changes);
    return reference;
  });
}

async function makeImage(
  store: ImageStore,
  reference: string,
  files: Readonly<Record<string, string>>,
  options: TestImageOptions,
  changes: readonly string[],
): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "anyrunner-test-image-"));
  try {
    await makeBusyboxRootfs(directory, { files, ...(options.busybox === undefined ? {} : { busybox: options.busybox }) });
    await store.add(reference, await tarFolder(directory), [...CHANGES, ...changes]);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function dockerStore(socketPath: string): ImageStore {
  return {
    has: async (reference) => (await callDocker({ socketPath, method: "GET", path: `/images/${reference}/json` })).status === 200,
    async add(reference, archive, changes) {
      const [repo = "", tag = ""] = reference.split(":");
      const query = new URLSearchParams({ fromSrc: "-", repo, tag });
      for (const change of changes) query.append("changes", change);
      const made = await callDocker({ socketPath, method: "POST", path: `/images/create?${query.toString()}`, body: archive });
      if (made.status !== 200 || made.text.includes('"error"')) throw new Error(`the test image ${reference} can't be made: ${made.status} ${made.text}`);
    },
  };
}
