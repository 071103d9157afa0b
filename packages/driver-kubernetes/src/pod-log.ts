import { throwIfAborted } from "@anyrunner/core/driver";

import { clusterTransportError } from "./cluster-error.ts";
import { requestBody } from "./cluster-request.ts";
import type { Cluster } from "./cluster.ts";
import { podPath } from "./pod.ts";

const DEFAULT_TAIL = 100;
/** Of each of the two logs that are shown together. */
const MOST_BYTES = 1024 * 1024;

export interface ReadPodLogOptions {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  /** How many of the last lines to begin with. Default: all. */
  readonly tail?: number | undefined;
  readonly follow?: boolean | undefined;
  /** The log of the container before its last restart. */
  readonly previous?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The log of a pod's container as text. Fails as a request does. */
export async function* readPodLog(cluster: Cluster, options: ReadPodLogOptions): AsyncGenerator<string, void, undefined> {
  const { container, tail, follow, previous, signal } = options;
  const body = await requestBody(cluster, {
    path: `${podPath(options.namespace, options.pod)}/log`,
    query: { container, tailLines: tail, follow: follow || undefined, previous: previous || undefined },
    signal,
  });
  const decoder = new TextDecoder();
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      const text = decoder.decode(chunk, { stream: true });
      if (text !== "") yield text;
    }
  } catch (error) {
    throwIfAborted(signal);
    throw clusterTransportError(error, cluster);
  } finally {
    body.destroy();
  }
}

/**
 * The last `tail` lines of a container that was started again, where those of its own are fewer with the last ones before its restart: what it died of
 * stands there.
 */
export async function* readLogBeyondRestart(cluster: Cluster, { tail = DEFAULT_TAIL, ...options }: ReadPodLogOptions): AsyncGenerator<string, void, undefined> {
  const own = await readLastLines(cluster, { ...options, tail, bytes: MOST_BYTES });
  const missing = tail - (own.match(/\n/g)?.length ?? 0);
  if (missing > 0) {
    // What ended long ago may be gone.
    const before = await readLastLines(cluster, { ...options, tail: missing, previous: true, bytes: MOST_BYTES }).catch(() => "");
    throwIfAborted(options.signal);
    yield before === "" || before.endsWith("\n") ? before : `${before}\n`;
  }
  yield own;
}

/** The last lines, at most `bytes` of them. */
export async function readLastLines(cluster: Cluster, options: Omit<ReadPodLogOptions, "follow"> & { readonly bytes: number }): Promise<string> {
  let text = "";
  for await (const chunk of readPodLog(cluster, options)) text = (text + chunk).slice(-options.bytes);
  return Buffer.from(text).subarray(-options.bytes).toString("utf8");
}
