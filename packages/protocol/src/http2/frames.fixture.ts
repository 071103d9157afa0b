import type { Duplex } from "node:stream";

const TYPES = ["DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION"] as const;

export interface Frame {
  readonly type: (typeof TYPES)[number];
  readonly streamId: number;
  readonly endStream: boolean;
  /** Of RST_STREAM; of WINDOW_UPDATE the increment. */
  readonly code: number | undefined;
}

/** The frames that arrive at a stream without a native handle, beside whoever reads it; a client's preface is skipped. */
export function readFrames(stream: Duplex): readonly Frame[] {
  const frames: Frame[] = [];
  let bytes = Buffer.alloc(0);
  stream.on("data", (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
    if (bytes.toString("latin1", 0, 3) === "PRI") bytes = bytes.subarray(24);
    while (bytes.length >= 9) {
      const end = 9 + bytes.readUIntBE(0, 3);
      if (bytes.length < end) return;
      const type = TYPES[bytes[3] as number] ?? "DATA";
      frames.push({
        type,
        streamId: bytes.readUInt32BE(5),
        endStream: ((bytes[4] as number) & 1) === 1,
        code: type === "RST_STREAM" || type === "WINDOW_UPDATE" ? bytes.readUInt32BE(9) : undefined,
      });
      bytes = bytes.subarray(end);
    }
  });
  return frames;
}
