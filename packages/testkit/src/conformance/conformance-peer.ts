import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { finished, pipeline } from "node:stream/promises";

import { numberLines } from "./number-lines.ts";
import { chunksOf, firstEvent, writePiece } from "./stream-event.ts";

const MAX_LINE_BYTES = 128;

/**
 * The far end that the conformance suite talks to, over any stream. The client writes one line, `COMMAND [COUNT]\n`; then
 *
 * - `ECHO`: everything comes back, in order, as it is read; ends when the client's side ends.
 * - `SINK n`: reads n bytes, answers their SHA-256 in hex and a line feed, ends.
 * - `SOURCE n`: sends the first n bytes of `numberLines`, ends.
 * - `HALFCLOSE`: reads until the client ends its side, answers the SHA-256 in hex and a line feed, ends.
 * - `DIE`: is gone at once, without an answer (as a script: exit code 7, one line on standard error).
 *
 * Resolves when the conversation is over; never rejects, because a far end that was cut off is what tests are about.
 */
export async function serveConformancePeer(stream: Duplex): Promise<void> {
  stream.on("error", () => stream.destroy());
  try {
    const [command, count] = (await readLine(stream)).split(" ");
    await serveCommand(stream, command ?? "", Number(count ?? 0));
  } catch {
    stream.destroy();
  }
}

/** The same peer for a container that has only busybox: install it as the program that the driver runs (`buildctl`). */
export const CONFORMANCE_PEER_SCRIPT = `#!/bin/sh
read -r command count || exit 1
case "$command" in
ECHO) exec cat ;;
SINK) head -c "$count" | sha256sum | cut -c1-64 ;;
SOURCE) seq 1 99999999 | head -c "$count" ;;
HALFCLOSE) sha256sum | cut -c1-64 ;;
DIE) echo "the conformance peer was told to die" >&2; exit 7 ;;
*) echo "the conformance peer knows no $command" >&2; exit 64 ;;
esac
`;

async function serveCommand(stream: Duplex, command: string, count: number): Promise<void> {
  switch (command) {
    case "ECHO":
      return echo(stream);
    case "SINK":
      return answer(stream, await digestOf(stream, count));
    case "SOURCE":
      return pipeline(numberLines(count), stream);
    case "HALFCLOSE":
      return answer(stream, await digestOf(stream, Number.POSITIVE_INFINITY));
    default:
      stream.destroy();
  }
}

/** Byte by byte, as \`read\` of a shell does it: what follows the line stays in the stream. */
async function readLine(stream: Duplex): Promise<string> {
  const bytes: number[] = [];
  for (;;) {
    const byte = stream.read(1) as Buffer | null;
    if (byte === null) {
      if (stream.readableEnded || stream.destroyed) throw new Error("the client left");
      await firstEvent(stream, ["readable", "end", "close"]);
    } else if (byte[0] === 0x0a) {
      return Buffer.from(bytes).toString("latin1");
    } else if (bytes.push(byte[0] ?? 0) > MAX_LINE_BYTES) {
      throw new Error("the first line is too long");
    }
  }
}

async function echo(stream: Duplex): Promise<void> {
  for await (const chunk of chunksOf(stream)) await writePiece(stream, chunk);
  stream.end();
  await finished(stream, { readable: false });
}

async function digestOf(stream: Duplex, count: number): Promise<string> {
  const hash = createHash("sha256");
  let missing = count;
  for await (const chunk of chunksOf(stream)) {
    hash.update(chunk.subarray(0, Math.min(chunk.length, missing)));
    missing -= chunk.length;
    if (missing <= 0) break;
  }
  return hash.digest("hex");
}

async function answer(stream: Duplex, digest: string): Promise<void> {
  stream.end(`${digest}\n`);
  await finished(stream, { readable: false });
}
