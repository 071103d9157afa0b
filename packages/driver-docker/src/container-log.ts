import { createDemultiplexer, type DockerClient } from "@anyrunner/docker-endpoint";

export interface ReadLogOptions {
  /** Whether the container has a terminal: its log is then not multiplexed. */
  readonly tty: boolean;
  readonly tail: number;
  readonly follow: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The log of a container as text, standard output and error in the daemon's order. Fails as a request does. */
export async function* readLog(client: DockerClient, container: string, options: ReadLogOptions): AsyncGenerator<string, void, undefined> {
  const { body } = await client.request({
    path: `/containers/${container}/logs`,
    query: { stdout: true, stderr: true, tail: options.tail, follow: options.follow },
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
