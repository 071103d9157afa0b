import type { JsonObject, RunnerHandle } from "@anyrunner/core";
import type { DockerEndpoint } from "@anyrunner/docker-endpoint";

/** A container that runs an engine. Its id pins it: one that is made anew under the same name is another runner. */
export interface DockerHandle extends RunnerHandle {
  readonly driver: "docker";
  readonly endpoint: DockerHandleEndpoint;
}

export interface DockerHandleEndpoint extends JsonObject {
  readonly docker: DockerEndpoint;
  /** The full id. */
  readonly container: string;
  /** For messages. */
  readonly name: string;
}
