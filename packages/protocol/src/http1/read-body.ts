import type { Duplex } from "node:stream";

import type { HeaderList } from "../header-list.ts";
import { readAhead, StreamEndedError } from "./read-ahead.ts";

const LIMIT_BYTES = 64 * 1024;

/** Reads the body that belongs to a response head, as text of at most 64 KiB; one that breaks off is returned as far as it came. */
export async function readBody(stream: Duplex, headers: HeaderList, signal?: AbortSignal): Promise<string> {
  const options = { limitBytes: LIMIT_BYTES, consume: true, signal };
  const length = Number(headers.get("content-length") ?? NaN);
  const chunked = headers.get("transfer-encoding")?.toLowerCase().includes("chunked") === true;
  try {
    const body = await readAhead(stream, (received) => bodyLength(received, chunked, length), options);
    return (chunked ? dechunk(body) : body).toString("utf8");
  } catch (error) {
    if (!(error instanceof StreamEndedError)) throw error;
    return (chunked ? dechunk(error.received) : error.received).toString("utf8");
  }
}

function bodyLength(received: Buffer, chunked: boolean, length: number): number | undefined {
  if (chunked) {
    if (received.subarray(0, 5).equals(Buffer.from("0\r\n\r\n"))) return 5;
    const index = received.indexOf("\r\n0\r\n\r\n");
    return index < 0 ? undefined : index + 7;
  }
  if (Number.isNaN(length)) return received.length >= LIMIT_BYTES ? LIMIT_BYTES : undefined;
  return Math.min(length, LIMIT_BYTES);
}

function dechunk(body: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let offset = 0; ;) {
    const lineEnd = body.indexOf("\r\n", offset);
    const size = lineEnd < 0 ? NaN : Number.parseInt(body.toString("latin1", offset, lineEnd), 16);
    if (!(size > 0)) return Buffer.concat(parts);
    parts.push(body.subarray(lineEnd + 2, lineEnd + 2 + size));
    offset = lineEnd + 2 + size + 2;
  }
}
