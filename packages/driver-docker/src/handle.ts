import type { JsonObject, RunnerHandle } from "@anyrunner/core/driver";
import type { DockerEndpoint } from "@anyrunner/docker-endpoint";
import { isOwnedEngine, ownLabels } from "@anyrunner/engine-container";

/** A container that runs an engine. Its id pins it: one that is made anew under the same name is another runner. */
export interface DockerHandle extends RunnerHandle {
  readonly driver: "docker";
  readonly endpoint: DockerHandleEndpoint;
}

/** Where the container is: its daemon, and which it is there. */
export interface DockerHandleEndpoint extends JsonObject {
  readonly docker: DockerEndpoint;
  /** The full id. */
  readonly container: string;
  /** For messages. */
  readonly name: string;
}

/** The handle of a container; whether it is ours is in its labels, however it was found. */
export function createHandle(
  docker: DockerEndpoint,
  container: { readonly id: string; readonly name: string; readonly labels: Readonly<Record<string, string>> | null | undefined },
): DockerHandle {
  const { id, name, labels } = container;
  return { driver: "docker", id, endpoint: { docker, container: id, name }, owned: isOwnedEngine(labels), labels: ownLabels(labels) };
}
