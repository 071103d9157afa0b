import { createDemultiplexer, type DockerClient } from "@anyrunner/docker-endpoint";

import type { ContainerCall, ContainerDetails } from "./container.ts";

const LAST_OUTPUT_BYTES = 4096;
const LAST_LINES = 30;

export interface ReadLogOptions {
  /** Whether the container has a terminal: its log is then not multiplexed. */
  readonly tty: boolean;
  /** Default: everything. */
  readonly tail?: number | undefined;
  /** From this moment on, as the daemon writes moments. */
  readonly since?: string | undefined;
  /** Default false. */
  readonly follow?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** The log of a container as text, standard output and error in the daemon's order. Fails as a request does. */
export async function* readLog(client: DockerClient, container: string, options: ReadLogOptions): AsyncGenerator<string, void, undefined> {
  const { body } = await client.request({
    path: `/containers/${container}/logs`,
    query: {
      stdout: true,
      stderr: true,
      tail: options.tail ?? "all",
      since: options.since === undefined ? undefined : unixTime(options.since),
      follow: options.follow ?? false,
    },
    signal: options.signal,
  });
  let texts: string[] = [];
  const sink = () => {
    // A character may be cut between two frames of one stream, so each stream has a decoder of its own.
    const decoder = new TextDecoder();
    return (chunk: Buffer) => void texts.push(decoder.decode(chunk, { stream: true }));
  };
  const stdout = sink();
  const demultiplexer = createDemultiplexer({ stdout, stderr: sink() });
  try {
    for await (const chunk of body as AsyncIterable<Buffer>) {
      if (options.tty) stdout(chunk);
      else demultiplexer.push(chunk);
      const ready = texts;
      texts = [];
      for (const text of ready) if (text !== "") yield text;
    }
  } finally {
    body.destroy();
  }
}

/** Seconds since 1970 with the nanoseconds behind the dot, as the API wants them. */
function unixTime(moment: string): string {
  const fraction = /\.(\d+)/.exec(moment)?.[1] ?? "0";
  return `${Math.floor(Date.parse(moment) / 1000)}.${fraction.padEnd(9, "0")}`;
}

/** The end of a container's log, at most 4 KiB. */
export async function readLastLog(client: DockerClient, container: ContainerDetails, { signal }: ContainerCall): Promise<string> {
  let text = "";
  for await (const chunk of readLog(client, container.Id, { tty: container.Config.Tty, tail: LAST_LINES, signal }))
    text = (text + chunk).slice(-LAST_OUTPUT_BYTES);
  return Buffer.from(text).subarray(-LAST_OUTPUT_BYTES).toString("utf8");
}
