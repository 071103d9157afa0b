import { GrpcError, GrpcStatus } from "./status.ts";

const HEADER_BYTES = 5;

/** Largest message that either side accepts, in bytes: the engine's own limit. */
export const MAX_MESSAGE_BYTES = 16 * 1024 * 1024;

/** The five bytes that precede a message of `length` bytes: no compression, big-endian length. */
export function messageHeader(length: number): Buffer {
  const header = Buffer.allocUnsafe(HEADER_BYTES);
  header[0] = 0;
  header.writeUInt32BE(length, 1);
  return header;
}

export interface MessageFramer {
  /** Takes the next bytes and returns the messages they complete. Throws a GrpcError for what breaks the framing. */
  push(chunk: Buffer): readonly Buffer[];
  /** Whether a message has begun and is not complete. */
  readonly partial: boolean;
}

/**
 * Cuts a byte stream into messages. A message inside one chunk is a view of it; one that spans chunks is put together once, when
 * its last byte is there, so that a large message in small pieces costs no quadratic copying.
 */
export function createMessageFramer(options: { readonly maxMessageBytes?: number } = {}): MessageFramer {
  const maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
  let pieces: Buffer[] = [];
  let pieceBytes = 0;
  let wanted = HEADER_BYTES;

  return {
    get partial() {
      return pieceBytes > 0;
    },
    push(chunk) {
      let rest = chunk;
      if (pieceBytes > 0) {
        pieces.push(chunk);
        pieceBytes += chunk.length;
        if (pieceBytes < wanted) return [];
        rest = joined();
      }
      const messages: Buffer[] = [];
      let offset = 0;
      while (rest.length - offset >= HEADER_BYTES) {
        const end = offset + HEADER_BYTES + messageLength(rest, offset, maxMessageBytes);
        if (end > rest.length) break;
        messages.push(rest.subarray(offset + HEADER_BYTES, end));
        offset = end;
      }
      keep(rest.subarray(offset));
      return messages;
    },
  };

  function joined(): Buffer {
    const whole = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, pieceBytes);
    pieces = [];
    pieceBytes = 0;
    return whole;
  }

  function keep(rest: Buffer): void {
    if (rest.length === 0) return;
    pieces = [rest];
    pieceBytes = rest.length;
    wanted = rest.length < HEADER_BYTES ? HEADER_BYTES : HEADER_BYTES + messageLength(rest, 0, maxMessageBytes);
  }
}

function messageLength(buffer: Buffer, offset: number, maxMessageBytes: number): number {
  if (buffer[offset] !== 0) throw new GrpcError(GrpcStatus.INTERNAL, "a compressed message came although no compression was agreed");
  const length = buffer.readUInt32BE(offset + 1);
  if (length > maxMessageBytes) {
    throw new GrpcError(GrpcStatus.RESOURCE_EXHAUSTED, `a message of ${length} bytes is larger than the limit of ${maxMessageBytes}`);
  }
  return length;
}
