import type { Buffer } from "node:buffer";

import { createDemultiplexer } from "@anyrunner/docker-endpoint";

/** A piece of a container's output. */
export interface AttachedFrame {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

/** Splits an attached connection without a terminal into pieces, which are passed on as their bytes come. */
export async function* readAttachedFrames(source: AsyncIterable<Buffer>): AsyncGenerator<AttachedFrame> {
  let frames: AttachedFrame[] = [];
  const demultiplexer = createDemultiplexer({
    stdout: (data) => frames.push({ stream: "stdout", data }),
    stderr: (data) => frames.push({ stream: "stderr", data }),
  });
  for await (const chunk of source) {
    demultiplexer.push(chunk);
    yield* frames;
    frames = [];
  }
}
