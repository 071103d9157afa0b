import type { FileStat } from "./file-stat.ts";
import { decodeStat, maximumStatSize, writeStat } from "./stat-codec.ts";
import { malformed, readBytes, readTag, readUint32, skipField, wireReader } from "./wire-reader.ts";
import { varintSize, writeVarint } from "./wire-writer.ts";

/** One message of a tree transfer: `fsutil.types.Packet` (engine protocol 5.2). */
export type Packet =
  /** An entry of the listing; without a stat, the end of the listing. */
  | { readonly type: "stat"; readonly stat: FileStat | undefined }
  /** The receiver wants the content of entry number `id`. */
  | { readonly type: "request"; readonly id: number }
  /** A piece of the content; empty at its end. A view on the decoded bytes. */
  | { readonly type: "data"; readonly id: number; readonly data: Uint8Array }
  | { readonly type: "finish" }
  | { readonly type: "error"; readonly message: string };

const TYPES = ["stat", "request", "data", "finish", "error"] as const;
const EMPTY = Buffer.alloc(0);

/** One packet as one buffer. The hot path of file content is `encodeDataHeader`, which copies nothing. */
export function encodePacket(packet: Packet): Buffer {
  switch (packet.type) {
    case "stat":
      return packet.stat === undefined ? EMPTY : encodeStatPacket(packet.stat);
    case "request":
      return encodeHeader(1, packet.id, 0);
    case "data":
      return packet.data.length === 0 ? encodeHeader(2, packet.id, 0) : Buffer.concat([encodeDataHeader(packet.id, packet.data.length), packet.data]);
    case "finish":
      return encodeHeader(3, 0, 0);
    case "error": {
      const text = Buffer.from(packet.message);
      return Buffer.concat([encodeHeader(4, 0, text.length), text]);
    }
  }
}

/** Everything of a DATA packet that goes before its `size` bytes of content. */
export function encodeDataHeader(id: number, size: number): Buffer {
  return encodeHeader(2, id, size);
}

/** Reads a packet; throws a FilesyncError `malformed`. Unknown fields are passed over. */
export function decodePacket(bytes: Uint8Array): Packet {
  const reader = wireReader(bytes);
  let type = 0;
  let id = 0;
  let stat: FileStat | undefined;
  let data: Uint8Array = EMPTY;
  for (let tag = readTag(reader); tag !== 0; tag = readTag(reader)) {
    switch (tag) {
      case 0x08:
        type = readUint32(reader);
        break;
      case 0x12:
        stat = decodeStat(readBytes(reader));
        break;
      case 0x18:
        id = readUint32(reader);
        break;
      case 0x22:
        data = readBytes(reader);
        break;
      default:
        skipField(reader, tag);
    }
  }
  switch (TYPES[type]) {
    case "stat":
      return { type: "stat", stat };
    case "request":
      return { type: "request", id };
    case "data":
      return { type: "data", id, data };
    case "finish":
      return { type: "finish" };
    case "error":
      return { type: "error", message: Buffer.from(data.buffer, data.byteOffset, data.length).toString() };
    default:
      throw malformed(`packet type ${type}`);
  }
}

function encodeStatPacket(stat: FileStat): Buffer {
  // The length of the stat is written in front of it once known: room for a longest varint is left, then closed up.
  const target = Buffer.allocUnsafe(maximumStatSize(stat) + 6);
  const size = writeStat(target, 6, stat) - 6;
  const start = 5 - varintSize(size);
  target[start] = 0x12;
  writeVarint(target, start + 1, size);
  return target.subarray(start, 6 + size);
}

function encodeHeader(type: number, id: number, size: number): Buffer {
  const target = Buffer.allocUnsafe(16);
  target[0] = 0x08;
  target[1] = type;
  let offset = 2;
  if (id !== 0) {
    target[offset] = 0x18;
    offset = writeVarint(target, offset + 1, id);
  }
  if (size !== 0) {
    target[offset] = 0x22;
    offset = writeVarint(target, offset + 1, size);
  }
  return target.subarray(0, offset);
}
