import { isUtf8 } from "node:buffer";

/**
 * File names are bytes. As a JavaScript string a name is its UTF-8 text; each byte that isn't UTF-8 stands in it as one of the lone surrogates
 * U+DC80..U+DCFF, which no UTF-8 gives, so that the bytes can be had back. Patterns take it for one character, as Go does.
 */
export function nameOfBytes(bytes: Uint8Array): string {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (isUtf8(buffer)) return buffer.toString();
  let name = "";
  for (let at = 0; at < buffer.length;) {
    const length = characterLength(buffer, at);
    name += length === 0 ? String.fromCharCode(ESCAPE + buffer[at]!) : buffer.toString("utf8", at, at + length);
    at += length || 1;
  }
  return name;
}

export function bytesOfName(name: string): Buffer {
  if (name.isWellFormed()) return Buffer.from(name);
  const parts = name.split(/([\udc80-\udcff])/u);
  return Buffer.concat(parts.map((part, index) => (index % 2 === 0 ? Buffer.from(part) : Buffer.of(part.charCodeAt(0) - ESCAPE))));
}

/** What `node:fs` takes for a path with such names in it. */
export function diskPath(path: string): string | Buffer {
  return path.isWellFormed() ? path : bytesOfName(path);
}

const ESCAPE = 0xdc00;

/** 0 where no UTF-8 character begins. */
function characterLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return at + length <= bytes.length && isUtf8(bytes.subarray(at, at + length)) ? length : 0;
}
