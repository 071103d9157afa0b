const scratch = new BigInt64Array(1);
const halves = new Uint32Array(scratch.buffer);
const LOW = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1 ? 0 : 1;

/** Bytes that the varint of an unsigned 32-bit number takes. */
export function varintSize(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x200000) return 3;
  return value < 0x10000000 ? 4 : 5;
}

/** Writes an unsigned 32-bit varint; returns the offset behind it. */
export function writeVarint(target: Uint8Array, offset: number, value: number): number {
  let rest = value >>> 0;
  while (rest > 0x7f) {
    target[offset++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  target[offset++] = rest;
  return offset;
}

/** Writes a protobuf int64 (negative numbers take ten bytes); returns the offset behind it. */
export function writeInt64(target: Uint8Array, offset: number, value: bigint | number): number {
  if (typeof value === "number" && value >= 0 && value < 0x100000000) return writeVarint(target, offset, value);
  scratch[0] = BigInt(value);
  let low = halves[LOW]!;
  let high = halves[1 - LOW]!;
  while (high !== 0 || low > 0x7f) {
    target[offset++] = (low & 0x7f) | 0x80;
    low = ((low >>> 7) | (high << 25)) >>> 0;
    high >>>= 7;
  }
  target[offset++] = low;
  return offset;
}
