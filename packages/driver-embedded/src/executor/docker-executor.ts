import type { Readable } from "node:stream";

import { orAborted, RunnerError } from "@anyrunner/core/driver";
import { createDockerClient, type DockerEndpoint } from "@anyrunner/docker-endpoint";

import type { Executor, ExecutorCall, ExecutorFacts, ResolveImageOptions, Segment, Snapshot } from "./executor.ts";
import { readFacts } from "./facts.ts";
import { createHolderVolume, type HolderVolume } from "./holder/volume.ts";
import { importArchive } from "./image-archive.ts";
import { findSnapshot, forgetSnapshot, importTree, inspectImage, type DockerImage } from "./images.ts";
import { MOUNT_POINTS_LABEL } from "./labels.ts";
import { parseMountPoints } from "./mount-points.ts";
import { withoutVolumes } from "./plain-image.ts";
import { resolveImage } from "./pull.ts";
import { openSegment } from "./segment.ts";
import { createSession, localProcesses, type ProcessTable, type Session } from "./session.ts";
import { createSnapshotReader } from "./snapshot-reader.ts";
import { sweepDeadSessions } from "./sweep.ts";

export interface DockerExecutorSettings {
  readonly endpoint: DockerEndpoint;
  /** Put on every container. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
  /** Asked before an image is pulled, when the call brings none. */
  readonly credentials?: ResolveImageOptions["credentials"];
  /** A seal that took longer makes its segment go on in a new container; default 1000 ms. */
  readonly renewAfterMs?: number | undefined;
  /** Name of the volume with the holder program; default: one that all executors of a daemon share. */
  readonly holderVolume?: string | undefined;
  /** Who is alive; default: the processes of this machine. */
  readonly processes?: ProcessTable | undefined;
}

interface Prepared {
  readonly facts: ExecutorFacts;
  readonly holder: HolderVolume;
  readonly session: Session;
}

/** Runs steps through the Docker Engine API of Docker or Podman. Constructing does no I/O. */
export function createDockerExecutor(settings: DockerExecutorSettings): Executor {
  const client = createDockerClient(settings.endpoint);
  const processes = settings.processes ?? localProcesses();
  const segments = new Set<Segment>();
  const background = new Set<Promise<void>>();
  const imports = new Map<string, Promise<Snapshot>>();
  const images = new Map<string, DockerImage>();
  let prepared: Promise<Prepared> | undefined;

  const inBackground = (work: Promise<void>) => {
    const settled = work.catch(() => {}).finally(() => background.delete(settled));
    background.add(settled);
  };

  async function prepare(): Promise<Prepared> {
    const [facts, session] = await Promise.all([readFacts(client, undefined), createSession({ labels: settings.labels, processes })]);
    const holder = createHolderVolume(client, { platform: facts.platform, name: settings.holderVolume });
    inBackground(sweepDeadSessions(client, processes));
    return { facts, holder, session };
  }

  const ready = ({ signal }: ExecutorCall): Promise<Prepared> => {
    prepared ??= prepare();
    prepared.catch(() => (prepared = undefined));
    return orAborted(prepared, signal);
  };

  async function describe(image: string, { signal }: ExecutorCall): Promise<DockerImage> {
    const known = images.get(image) ?? (await inspectImage(client, image, signal));
    if (known === undefined) throw new RunnerError("NOT_FOUND", `the container engine no longer has the image ${image}`);
    images.set(image, known);
    return known;
  }

  const reader = createSnapshotReader({ client, ready, describe, inBackground });

  return {
    probe: async (call) => (await ready(call)).facts,
    resolveImage: (reference, call) => resolveImage(client, reference, { ...call, credentials: call.credentials ?? settings.credentials }),
    importArchive: async (archive, call) => importArchive(client, archive, { ...call, platform: (await ready(call)).facts.platform }),
    async importTree({ digest, tar }, call) {
      const found = imports.get(digest) ?? importOnce(digest, tar, call);
      return orAborted(found, call.signal);
    },
    find: (digest, call) => findSnapshot(client, digest, call.signal),
    forget: (digest, call) => forgetSnapshot(client, digest, call.signal),
    async open(base, spec, call) {
      const { holder, session } = await ready(call);
      const plain = await withoutVolumes(client, { base, image: await describe(base.image, call), labels: session.labels, signal: call.signal });
      const { Config } = await describe(plain.image, call);
      const segment: Segment = await openSegment({
        ...call,
        client,
        holder,
        base: plain,
        spec,
        labels: session.labels,
        mountPoints: parseMountPoints(Config?.Labels?.[MOUNT_POINTS_LABEL]),
        renewAfterMs: settings.renewAfterMs ?? 1000,
        onRemoval: inBackground,
        onClose: () => segments.delete(segment),
      });
      segments.add(segment);
      return segment;
    },
    read: (snapshot, path, call) => reader.read(snapshot, path, call),
    async close() {
      await prepared?.catch(() => {});
      await Promise.all([...segments].map((segment) => segment.close()));
      reader.close();
      while (background.size > 0) await Promise.all(background);
      client.close();
    },
  };

  /** Two callers with one digest share the work, which therefore no single caller can abort. */
  function importOnce(digest: string, tar: () => Readable, { report }: ExecutorCall): Promise<Snapshot> {
    const work = (async () => (await findSnapshot(client, digest, undefined)) ?? (await importTree(client, tar(), { digest, report })))();
    imports.set(digest, work);
    const forget = () => imports.delete(digest);
    work.then(forget, forget);
    return work;
  }
}
