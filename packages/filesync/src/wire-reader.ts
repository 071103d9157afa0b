import { nameOfBytes } from "./file-name.ts";
import { FilesyncError } from "./filesync-error.ts";

const scratch = new BigInt64Array(1);
const halves = new Uint32Array(scratch.buffer);
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Where a protobuf message is being read; `next` has the field number and wire type of the field at hand. */
export interface WireReader {
  readonly bytes: Uint8Array;
  offset: number;
  readonly end: number;
}

export function wireReader(bytes: Uint8Array): WireReader {
  return { bytes, offset: 0, end: bytes.length };
}

/** The tag of the next field (number << 3 | wire type), or 0 at the end of the message. */
export function readTag(reader: WireReader): number {
  if (reader.offset >= reader.end) return 0;
  const tag = readUint32(reader);
  if (tag >>> 3 === 0) throw malformed("field number 0");
  return tag;
}

/** A varint cut to 32 bits, as protobuf cuts it. */
export function readUint32(reader: WireReader): number {
  const first = reader.bytes[reader.offset]!;
  if (reader.offset < reader.end && first < 0x80) {
    reader.offset++;
    return first;
  }
  readHalves(reader);
  return halves[LOW]!;
}

export function readInt64(reader: WireReader): bigint {
  readHalves(reader);
  return scratch[0]!;
}

/** An int64 as a number; what a double can't hold exactly is refused. */
export function readSafeInteger(reader: WireReader): number {
  const value = Number(readInt64(reader));
  if (!Number.isSafeInteger(value)) throw malformed("a number beyond 2^53");
  return value;
}

/** The bytes of a length-delimited field: a view, no copy. */
export function readBytes(reader: WireReader): Uint8Array {
  readHalves(reader);
  const length = halves[LOW]!;
  if (halves[1 - LOW] !== 0 || length > reader.end - reader.offset) throw malformed("a field longer than the message");
  const start = reader.offset;
  reader.offset += length;
  return reader.bytes.subarray(start, reader.offset);
}

export function readString(reader: WireReader): string {
  try {
    return utf8.decode(readBytes(reader));
  } catch (error) {
    if (FilesyncError.is(error)) throw error;
    throw malformed("text that is not UTF-8");
  }
}

/** The name of a file, as `nameOfBytes` gives it. */
export function readName(reader: WireReader): string {
  const bytes = readBytes(reader);
  try {
    return utf8.decode(bytes);
  } catch {
    return nameOfBytes(bytes);
  }
}

/** Passes over a field that this package doesn't know. */
export function skipField(reader: WireReader, tag: number): void {
  switch (tag & 7) {
    case 0:
      readHalves(reader);
      return;
    case 1:
      return advance(reader, 8);
    case 2:
      readBytes(reader);
      return;
    case 5:
      return advance(reader, 4);
    default:
      throw malformed(`wire type ${tag & 7}`);
  }
}

export function malformed(what: string): FilesyncError {
  return new FilesyncError("malformed", `malformed protobuf message: ${what}`);
}

function advance(reader: WireReader, bytes: number): void {
  if (bytes > reader.end - reader.offset) throw malformed("a field longer than the message");
  reader.offset += bytes;
}

function readHalves(reader: WireReader): void {
  const { bytes, end } = reader;
  let offset = reader.offset;
  let low = 0;
  let high = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    if (offset >= end) throw malformed("it ends inside a number");
    const byte = bytes[offset++]!;
    const bits = byte & 0x7f;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      high |= bits >>> 4;
    } else high |= shift < 63 ? bits << (shift - 32) : (bits & 1) << 31;
    if (byte < 0x80) {
      reader.offset = offset;
      halves[LOW] = low;
      halves[1 - LOW] = high;
      return;
    }
  }
  throw malformed("a number longer than ten bytes");
}
