import { fileStat, type FileStat } from "./file-stat.ts";
import { bytesOfName } from "./file-name.ts";
import { malformed, readBytes, readInt64, readName, readSafeInteger, readString, readTag, readUint32, skipField, wireReader } from "./wire-reader.ts";
import { varintSize, writeInt64, writeVarint } from "./wire-writer.ts";

/** A bare `fsutil.types.Stat` message: the answer to the stat and absolute-path modes of FileSync. */
export function encodeStat(stat: FileStat): Uint8Array {
  const target = Buffer.allocUnsafe(maximumStatSize(stat));
  return target.subarray(0, writeStat(target, 0, stat));
}

/** Bytes that are surely enough for `writeStat`. */
export function maximumStatSize(stat: FileStat): number {
  let size = 96 + 3 * (stat.path.length + stat.linkname.length);
  for (const [name, value] of stat.xattrs) size += 24 + 3 * name.length + value.length;
  return size;
}

/** Writes the fields of a stat; returns the offset behind them. */
export function writeStat(target: Buffer, start: number, stat: FileStat): number {
  let offset = start;
  if (stat.path !== "") offset = writeText(target, offset, 0x0a, stat.path);
  if (stat.mode !== 0) offset = writeNumber(target, offset, 0x10, stat.mode);
  if (stat.uid !== 0) offset = writeNumber(target, offset, 0x18, stat.uid);
  if (stat.gid !== 0) offset = writeNumber(target, offset, 0x20, stat.gid);
  if (stat.size !== 0) offset = writeNumber(target, offset, 0x28, stat.size);
  if (stat.modTimeNs !== 0n) offset = writeNumber(target, offset, 0x30, stat.modTimeNs);
  if (stat.linkname !== "") offset = writeText(target, offset, 0x3a, stat.linkname);
  if (stat.devmajor !== 0) offset = writeNumber(target, offset, 0x40, stat.devmajor);
  if (stat.devminor !== 0) offset = writeNumber(target, offset, 0x48, stat.devminor);
  for (const [name, value] of stat.xattrs) offset = writeXattr(target, offset, name, value);
  if (stat.gitIgnored) offset = writeNumber(target, offset, 0x58, 1);
  return offset;
}

/** Reads a bare Stat message; throws a FilesyncError `malformed`. Unknown fields are passed over. */
export function decodeStat(bytes: Uint8Array): FileStat {
  const reader = wireReader(bytes);
  const stat: { -readonly [Key in keyof FileStat]: FileStat[Key] } = { ...fileStat({}) };
  const xattrs = new Map<string, Uint8Array>();
  for (let tag = readTag(reader); tag !== 0; tag = readTag(reader)) {
    switch (tag) {
      case 0x0a:
        stat.path = readName(reader);
        break;
      case 0x10:
        stat.mode = readUint32(reader);
        break;
      case 0x18:
        stat.uid = readUint32(reader);
        break;
      case 0x20:
        stat.gid = readUint32(reader);
        break;
      case 0x28:
        stat.size = readSafeInteger(reader);
        break;
      case 0x30:
        stat.modTimeNs = readInt64(reader);
        break;
      case 0x3a:
        stat.linkname = readName(reader);
        break;
      case 0x40:
        stat.devmajor = readSafeInteger(reader);
        break;
      case 0x48:
        stat.devminor = readSafeInteger(reader);
        break;
      case 0x52:
        readXattr(readBytes(reader), xattrs);
        break;
      case 0x58:
        stat.gitIgnored = readUint32(reader) !== 0;
        break;
      default:
        skipField(reader, tag);
    }
  }
  if (stat.size < 0) throw malformed("a negative size");
  if (xattrs.size > 0) stat.xattrs = xattrs;
  return stat;
}

function writeNumber(target: Buffer, offset: number, tag: number, value: number | bigint): number {
  target[offset] = tag;
  return writeInt64(target, offset + 1, value);
}

function writeText(target: Buffer, offset: number, tag: number, text: string): number {
  target[offset] = tag;
  // Nearly every path is short ASCII: one length byte, corrected below when it is not.
  const written = text.isWellFormed() ? target.write(text, offset + 2) : bytesOfName(text).copy(target, offset + 2);
  if (written < 0x80) {
    target[offset + 1] = written;
    return offset + 2 + written;
  }
  const start = offset + 1 + varintSize(written);
  target.copyWithin(start, offset + 2, offset + 2 + written);
  writeVarint(target, offset + 1, written);
  return start + written;
}

function writeXattr(target: Buffer, offset: number, name: string, value: Uint8Array): number {
  const nameSize = Buffer.byteLength(name);
  const size = 1 + varintSize(nameSize) + nameSize + 1 + varintSize(value.length) + value.length;
  target[offset] = 0x52;
  let at = writeVarint(target, offset + 1, size);
  at = writeText(target, at, 0x0a, name);
  target[at] = 0x12;
  at = writeVarint(target, at + 1, value.length);
  target.set(value, at);
  return at + value.length;
}

function readXattr(bytes: Uint8Array, into: Map<string, Uint8Array>): void {
  const reader = wireReader(bytes);
  let name = "";
  let value: Uint8Array = new Uint8Array();
  for (let tag = readTag(reader); tag !== 0; tag = readTag(reader)) {
    if (tag === 0x0a) name = readString(reader);
    else if (tag === 0x12) value = readBytes(reader);
    else skipField(reader, tag);
  }
  into.set(name, value);
}
