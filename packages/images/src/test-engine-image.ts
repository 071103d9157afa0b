import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";

import { createDockerClient, followImageSteps, packTar, resolveDockerEndpoint, type DockerClient } from "@anyrunner/docker-endpoint";
import { ensureBusyboxImage } from "@anyrunner/testkit";

/** Why tests with a real daemon don't run; `undefined`: they run, and fail where there is none. */
export const skipReason = process.env["ANYRUNNER_TEST_DOCKER"] === "skip" ? "ANYRUNNER_TEST_DOCKER=skip" : undefined;

/** Images of one test file, all of them removed at the end. */
export interface TestImages extends AsyncDisposable {
  readonly client: DockerClient;
  /** A name that nobody has; `name` is a part of its tag. */
  tag(name: string): string;
  /** An image of busybox with further files, all of them programs, and further lines of a Dockerfile. Nothing runs for it. */
  make(name: string, files: Files, lines?: readonly string[]): Promise<string>;
  /** An image that looks like an engine's. */
  makeEngine(name: string, files?: Files, lines?: readonly string[]): Promise<string>;
  /** A name that was given by hand, to be removed as well. */
  own(reference: string): string;
}

type Files = Readonly<Record<string, string>>;

export async function createTestImages(): Promise<TestImages> {
  const client = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
  const run = randomUUID().slice(0, 8);
  const owned = new Set<string>();
  const own = (reference: string) => {
    owned.add(reference);
    return reference;
  };
  const tag = (name: string) => own(`anyrunner-test-images:${name}-${run}`);
  const make = async (name: string, files: Files, lines: readonly string[] = []) => {
    const reference = tag(name);
    const copied = Object.entries(files).map(([path, text]) => ({ name: `root${path}`, mode: 0o755, contents: Buffer.from(text) }));
    const dockerfile = [`FROM ${await ensureBusyboxImage()}`, ...(copied.length === 0 ? [] : ["COPY root/ /"]), ...lines].join("\n");
    const context = packTar([{ name: "Dockerfile", contents: Buffer.from(dockerfile) }, ...copied]);
    const { body } = await client.request({
      method: "POST",
      path: "/build",
      query: { t: reference, rm: true, forcerm: true },
      headers: { "Content-Type": "application/x-tar", "Content-Length": String(context.length) },
      body: Readable.from([context]),
    });
    await followImageSteps(body, () => {}, "a build");
    return reference;
  };
  return {
    client,
    tag,
    make,
    own,
    makeEngine: (name, files = {}, lines = []) => make(name, { ...ENGINE_FILES, ...files }, [...ENGINE_LINES, ...lines]),
    async [Symbol.asyncDispose]() {
      for (const reference of [...owned].toReversed()) {
        const { body } = await client.request({ method: "DELETE", path: `/images/${reference}`, query: { force: true }, expect: [404, 409] });
        body.resume();
      }
      client.close();
    },
  };
}

/** The text of a program. */
export function script(...lines: readonly string[]): string {
  return `${["#!/bin/sh", ...lines].join("\n")}\n`;
}

const TRUE = script("true");
const ENGINE_FILES = {
  "/usr/local/bin/dagger-entrypoint.sh": script('exec dagger-engine "$@"'),
  "/usr/local/bin/dagger-engine": script("echo dagger-engine v0.21.8"),
  "/usr/local/bin/runc": TRUE,
  "/usr/bin/buildctl": TRUE,
  "/usr/sbin/iptables": TRUE,
  "/usr/bin/git": TRUE,
  "/opt/cni/bin/bridge": "",
  "/usr/local/share/dagger/content": "",
  "/etc/dagger/engine.json": '{"registries":{"docker.io":{"mirrors":["mirror.gcr.io"]}}}\n',
};
const ENGINE_LINES = [
  "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin DAGGER_GO_SDK_MANIFEST_DIGEST=sha256:1",
  'ENTRYPOINT ["dagger-entrypoint.sh"]',
];
