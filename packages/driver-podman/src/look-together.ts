import { orAborted, type CallOptions } from "@anyrunner/core/driver";

import type { ContainerCli } from "./container-cli.ts";
import type { ContainerDetails } from "./container-details.ts";
import { findContainer } from "./container.ts";

interface Look {
  readonly found: Promise<ContainerDetails | undefined>;
  readonly abandon: AbortController;
  waiting: number;
}

/** Under way now: by the environment of the CLI, then by its place and the container. */
const looks = new WeakMap<object, Map<string, Look>>();

/**
 * `findContainer` for calls that come at the same time: they share one look. Each program of a runtime takes a tenth of a second of a processor, so
 * two hundred dials at once would wait longer for their own looks than a look may take. It ends with the last that waits for it.
 */
export async function findContainerTogether(cli: ContainerCli, name: string, { signal }: CallOptions): Promise<ContainerDetails | undefined> {
  const ofEnvironment = looks.get(cli.env) ?? new Map<string, Look>();
  looks.set(cli.env, ofEnvironment);
  const key = JSON.stringify([cli.shown, name]);
  const look = ofEnvironment.get(key) ?? begin(cli, name, () => ofEnvironment.delete(key));
  ofEnvironment.set(key, look);
  look.waiting++;
  try {
    return await orAborted(look.found, signal);
  } finally {
    look.waiting--;
    if (look.waiting === 0) {
      // Who comes now begins anew.
      if (ofEnvironment.get(key) === look) ofEnvironment.delete(key);
      look.abandon.abort();
      // The last leaves no program behind.
      await look.found.catch(() => {});
    }
  }
}

function begin(cli: ContainerCli, name: string, onEnd: () => void): Look {
  const abandon = new AbortController();
  const found = findContainer(cli, name, { signal: abandon.signal }).finally(onEnd);
  // Nobody may wait any more.
  found.catch(() => {});
  return { found, abandon, waiting: 0 };
}
