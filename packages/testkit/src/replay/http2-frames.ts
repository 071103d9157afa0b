/** One HTTP/2 frame, as far as recordings hold them. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly streamId: number;
  readonly payload: Buffer;
}

export const FrameType = { DATA: 0, HEADERS: 1, RST_STREAM: 3, SETTINGS: 4, PING: 6, GOAWAY: 7, WINDOW_UPDATE: 8, CONTINUATION: 9 } as const;
export const FrameFlag = { END_STREAM: 1, ACK: 1, END_HEADERS: 4, PADDED: 8, PRIORITY: 32 } as const;

export const PREFACE = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "latin1");
const HEAD_BYTES = 9;

/** The complete frames at the beginning of `bytes`, and how far they reach. */
export function readFrames(bytes: Buffer): { readonly frames: readonly Frame[]; readonly length: number } {
  const frames: Frame[] = [];
  let offset = 0;
  while (offset + HEAD_BYTES <= bytes.length) {
    const end = offset + HEAD_BYTES + bytes.readUIntBE(offset, 3);
    if (end > bytes.length) break;
    frames.push({
      type: bytes[offset + 3] ?? 0,
      flags: bytes[offset + 4] ?? 0,
      streamId: bytes.readUInt32BE(offset + 5) & 0x7fffffff,
      payload: bytes.subarray(offset + HEAD_BYTES, end),
    });
    offset = end;
  }
  return { frames, length: offset };
}

export function encodeFrame({ type, flags, streamId, payload }: Frame): Buffer {
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = type;
  head[4] = flags;
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

/** What DATA and HEADERS carry, without padding and priority. */
export function framePayload({ type, flags, payload }: Frame): Buffer {
  const padded = (flags & FrameFlag.PADDED) !== 0;
  const priority = type === FrameType.HEADERS && (flags & FrameFlag.PRIORITY) !== 0;
  const start = (padded ? 1 : 0) + (priority ? 5 : 0);
  return payload.subarray(start, payload.length - (padded ? (payload[0] ?? 0) : 0));
}
