import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";

import { chunksOf, writePiece } from "./stream-event.ts";

export interface Digest {
  readonly sha256: string;
  readonly byteCount: number;
}

export function digestOf(pieces: Iterable<Buffer>): Digest {
  const hash = createHash("sha256");
  let byteCount = 0;
  for (const piece of pieces) {
    hash.update(piece);
    byteCount += piece.length;
  }
  return { sha256: hash.digest("hex"), byteCount };
}

/** Reads `byteCount` bytes, or to the end. Fails when the stream breaks before. */
export async function readDigest(stream: Duplex, byteCount = Number.POSITIVE_INFINITY): Promise<Digest> {
  const hash = createHash("sha256");
  let received = 0;
  for await (const chunk of chunksOf(stream)) {
    hash.update(chunk);
    received += chunk.length;
    if (received >= byteCount) break;
  }
  return { sha256: hash.digest("hex"), byteCount: received };
}

export async function readText(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(stream)) chunks.push(chunk);
  return Buffer.concat(chunks).toString("utf8");
}

/** Writes all pieces, waiting wherever the stream asks for it. */
export async function writeAll(stream: Duplex, pieces: Iterable<Buffer>): Promise<void> {
  for (const piece of pieces) await writePiece(stream, piece);
}

/** Cuts a byte sequence into pieces of very different sizes, single bytes among them. */
export function* unevenPieces(source: Iterable<Buffer>): Generator<Buffer> {
  const sizes = [1, 65_536, 7, 16_384, 1, 50_000, 1_023];
  let turn = 0;
  for (const piece of source) {
    for (let start = 0; start < piece.length;) {
      const end = start + (sizes[turn++ % sizes.length] ?? 1);
      yield piece.subarray(start, end);
      start = end;
    }
  }
}
