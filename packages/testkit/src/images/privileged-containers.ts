import { randomUUID } from "node:crypto";

import { callDocker } from "./docker-call.ts";
import { ensureBusyboxImage } from "./test-image.ts";

/** Which daemon is asked. */
export interface PrivilegedContainersOptions {
  /** Socket of a Docker API. Default: `/var/run/docker.sock`. */
  readonly socketPath?: string;
}

/**
 * Why engines can't run on this machine's Docker: the words with which it refuses to start a privileged container, as where the
 * machine itself lacks a capability. `undefined` when it starts one. Fails when there is no daemon: that is no reason to skip.
 */
export async function privilegedContainersRefused({ socketPath = "/var/run/docker.sock" }: PrivilegedContainersOptions = {}): Promise<string | undefined> {
  const image = await ensureBusyboxImage({ socketPath });
  const name = `anyrunner-test-${randomUUID().slice(0, 8)}`;
  const create = Buffer.from(JSON.stringify({ Image: image, Cmd: ["true"], HostConfig: { Privileged: true, NetworkMode: "none" } }));
  await callDocker({ socketPath, method: "POST", path: `/containers/create?name=${name}`, body: create, type: "application/json" });
  try {
    const started = await callDocker({ socketPath, method: "POST", path: `/containers/${name}/start` });
    if (started.status === 204) return undefined;
    return /apply caps|operation not permitted|permission denied/i.test(started.text)
      ? `Docker refuses privileged containers here: ${messageOf(started.text)}`
      : undefined;
  } finally {
    await callDocker({ socketPath, method: "DELETE", path: `/containers/${name}?force=true` });
  }
}

function messageOf(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message).slice(-120);
  } catch {
    return text.slice(-120);
  }
}
