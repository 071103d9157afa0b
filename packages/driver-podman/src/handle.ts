import type { JsonObject, RunnerHandle } from "@anyrunner/core/driver";
import { isOwnedEngine, ownLabels } from "@anyrunner/engine-container";

import type { ContainerCli } from "./container-cli.ts";
import type { ContainerDetails } from "./container-details.ts";
import type { RuntimeName } from "./runtime.ts";

/** A container that runs an engine. Its id pins it: one that is made anew under the same name is another runner (but for Apple's, which have no other id). */
export interface ContainerHandle extends RunnerHandle {
  readonly driver: RuntimeName;
  readonly endpoint: ContainerHandleEndpoint;
}

/** Which container it is, and where. */
export interface ContainerHandleEndpoint extends JsonObject {
  /** The full id, or Apple's name. */
  readonly container: string;
  /** For messages. */
  readonly name: string;
  /** Podman's connection or containerd's namespace, when the URL named one. */
  readonly place?: string | undefined;
}

/** The handle of a container; owned is what has our label, however it was found. */
export function createHandle(cli: ContainerCli, { id, name, labels }: ContainerDetails): ContainerHandle {
  const endpoint = { container: id, name, ...(cli.place !== undefined && { place: cli.place }) };
  return {
    driver: cli.runtime.name,
    id: cli.place === undefined ? id : `${cli.place}/${id}`,
    endpoint,
    owned: isOwnedEngine(labels),
    labels: ownLabels(labels),
  };
}
