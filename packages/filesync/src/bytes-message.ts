import { malformed, readBytes, readTag, skipField, wireReader } from "./wire-reader.ts";
import { writeVarint } from "./wire-writer.ts";

/** `BytesMessage { 1 data }` as parts that make one message, without copying `data`; no bytes are an empty message. */
export function encodeBytesMessage(data: Uint8Array): readonly Uint8Array[] {
  if (data.length === 0) return [data];
  const header = Buffer.allocUnsafe(6);
  header[0] = 0x0a;
  return [header.subarray(0, writeVarint(header, 1, data.length)), data];
}

/** The content of a `BytesMessage`: a view, no copy. Throws a FilesyncError `malformed`. */
export function decodeBytesMessage(bytes: Uint8Array): Uint8Array {
  const reader = wireReader(bytes);
  let data: Uint8Array = new Uint8Array();
  for (let tag = readTag(reader); tag !== 0; tag = readTag(reader)) {
    if (tag === 0x0a) data = readBytes(reader);
    else if (tag >>> 3 === 1) throw malformed("field 1 is not bytes");
    else skipField(reader, tag);
  }
  return data;
}
