/** A header as it travelled: name and value. */
export type Header = readonly [string, string];

/** Decodes the header blocks of one direction of one connection, in order (RFC 7541). */
export interface HeaderDecoder {
  readonly decode: (block: Uint8Array) => Header[];
}

const STATIC_TABLE: readonly Header[] = [
  ":authority|:method GET|:method POST|:path /|:path /index.html|:scheme http|:scheme https|:status 200|:status 204|:status 206|:status 304|:status 400|:status 404|:status 500",
  "accept-charset|accept-encoding gzip, deflate|accept-language|accept-ranges|accept|access-control-allow-origin|age|allow|authorization|cache-control|content-disposition",
  "content-encoding|content-language|content-length|content-location|content-range|content-type|cookie|date|etag|expect|expires|from|host|if-match|if-modified-since|if-none-match",
  "if-range|if-unmodified-since|last-modified|link|location|max-forwards|proxy-authenticate|proxy-authorization|range|referer|refresh|retry-after|server|set-cookie",
  "strict-transport-security|transfer-encoding|user-agent|vary|via|www-authenticate",
].flatMap((line) => line.split("|").map((entry): Header => [entry.split(" ", 1)[0] ?? "", entry.includes(" ") ? entry.slice(entry.indexOf(" ") + 1) : ""]));

const ENTRY_OVERHEAD = 32;

export function createHeaderDecoder(tableBytes = 4096): HeaderDecoder {
  let table: Header[] = [];
  let limit = tableBytes;
  const evict = () => {
    let size = 0;
    const kept = table.findIndex(([name, value]) => (size += name.length + value.length + ENTRY_OVERHEAD) > limit);
    if (kept >= 0) table = table.slice(0, kept);
  };
  const at = (index: number): Header => {
    const header = STATIC_TABLE[index - 1] ?? table[index - 1 - STATIC_TABLE.length];
    if (header === undefined) throw new Error(`no header has index ${index}`);
    return header;
  };

  return {
    decode(block) {
      const reader: BlockReader = { block, offset: 0 };
      const headers: Header[] = [];
      while (reader.offset < block.length) {
        const first = block[reader.offset] ?? 0;
        if (first & 0x80) headers.push(at(readInteger(reader, 7)));
        else if (first & 0x40) {
          const header = readLiteral(reader, 6, at);
          headers.push(header);
          table.unshift(header);
          evict();
        } else if (first & 0x20) {
          limit = readInteger(reader, 5);
          evict();
        } else headers.push(readLiteral(reader, 4, at));
      }
      return headers;
    },
  };
}

interface BlockReader {
  readonly block: Uint8Array;
  offset: number;
}

function readLiteral(reader: BlockReader, prefixBits: number, at: (index: number) => Header): Header {
  const index = readInteger(reader, prefixBits);
  const name = index === 0 ? readString(reader) : at(index)[0];
  return [name, readString(reader)];
}

function readInteger(reader: BlockReader, prefixBits: number): number {
  const mask = 2 ** prefixBits - 1;
  let value = (reader.block[reader.offset++] ?? 0) & mask;
  if (value < mask) return value;
  for (let shift = 0; ; shift += 7) {
    const byte = reader.block[reader.offset++];
    if (byte === undefined) throw new Error("a header block ends inside a number");
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
}

function readString(reader: BlockReader): string {
  const compressed = ((reader.block[reader.offset] ?? 0) & 0x80) !== 0;
  const length = readInteger(reader, 7);
  const bytes = reader.block.subarray(reader.offset, (reader.offset += length));
  if (bytes.length !== length) throw new Error("a header block ends inside a string");
  return compressed ? decodeHuffman(bytes) : Buffer.from(bytes).toString("latin1");
}

/** Code lengths of the bytes 0 to 255 and of the end mark, in base 36 (RFC 7541, appendix B); the code itself is canonical. */
const LENGTHS =
  "dnsssssssoussussssssssusssssssss6aacd68baa8b8666555666666678f6cad67777777777777777777777878djde6f56565666577666567655677777fbed" +
  "skmkkmmmnmnnnnnonoomnonnnnlmnmnnomlkmmnnlnmmolmnnllmlnmnnkmmmnmmnqqkjmnmpqqqrrqopjlqrrqrollqqsrrrkoklmllnmmppooqnqrqqrrrrrsrrrrrqu";

let codes: ReadonlyMap<string, number> | undefined;

function decodeHuffman(bytes: Uint8Array): string {
  codes ??= huffmanCodes();
  const symbols: number[] = [];
  let bits = "";
  for (const byte of bytes) {
    for (let mask = 0x80; mask > 0; mask >>= 1) {
      bits += byte & mask ? "1" : "0";
      const symbol = codes.get(bits);
      if (symbol === undefined) continue;
      symbols.push(symbol);
      bits = "";
    }
  }
  return Buffer.from(symbols).toString("latin1");
}

function huffmanCodes(): ReadonlyMap<string, number> {
  const byLength = LENGTHS.split("")
    .map((digit, symbol) => ({ symbol, length: Number.parseInt(digit, 36) }))
    .toSorted((a, b) => a.length - b.length || a.symbol - b.symbol);
  const result = new Map<string, number>();
  let code = 0;
  let length = 0;
  for (const entry of byLength) {
    code *= 2 ** (entry.length - length);
    length = entry.length;
    result.set(code.toString(2).padStart(length, "0"), entry.symbol);
    code += 1;
  }
  return result;
}
