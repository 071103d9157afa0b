import { Buffer } from "node:buffer";

/** A piece of a container's output: Docker's attach protocol without a terminal. */
export interface AttachedFrame {
  readonly stream: "stdout" | "stderr";
  readonly data: Buffer;
}

const HEADER_BYTES = 8;

/**
 * Splits an attached connection into pieces. A frame (`type, 0, 0, 0, 32-bit big-endian length`, type 1 standard output,
 * 2 standard error) is passed on as its bytes come, so a long one costs no memory.
 */
export async function* readAttachedFrames(source: AsyncIterable<Buffer>): AsyncGenerator<AttachedFrame> {
  let header: Buffer = Buffer.alloc(0);
  let missing = 0;
  let stream: AttachedFrame["stream"] = "stdout";
  for await (let chunk of source) {
    while (chunk.length > 0) {
      if (missing > 0) {
        const data = chunk.subarray(0, missing);
        chunk = chunk.subarray(data.length);
        missing -= data.length;
        yield { stream, data };
        continue;
      }
      const part = chunk.subarray(0, HEADER_BYTES - header.length);
      header = Buffer.concat([header, part]);
      chunk = chunk.subarray(part.length);
      if (header.length < HEADER_BYTES) continue;
      stream = header[0] === 2 ? "stderr" : "stdout";
      missing = header.readUInt32BE(4);
      header = Buffer.alloc(0);
    }
  }
}
