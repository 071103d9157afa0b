import { Buffer } from "node:buffer";

/** What a tar entry's header says, extended headers (pax, GNU) included. */
export interface TarHeader {
  readonly name: string;
  /** The type flag: "0" file, "1" hard link, "2" symbolic link, "5" directory. */
  readonly type: string;
  readonly size: number;
  readonly mode: number;
  /** Seconds since 1970. */
  readonly mtimeS: number;
  readonly linkName: string;
}

export interface RewriteTarOptions {
  /**
   * `keep` passes an entry on byte for byte; `keep-if-filled` a directory once something below it is kept; `capture` keeps,
   * and hands the contents to `captured`; `take` only hands them over.
   */
  readonly entry: (header: TarHeader) => "keep" | "keep-if-filled" | "drop" | "capture" | "take";
  /** Contents of entries that are captured, or taken out (`take`). */
  readonly captured?: ((header: TarHeader, contents: Buffer) => void) | undefined;
  /** Entries to put behind the last one, as `tarEntry` makes them. */
  readonly append?: (() => readonly Buffer[]) | undefined;
}

const BLOCK = 512;
const END = Buffer.alloc(2 * BLOCK);

/** Rewrites a tar stream on the fly; memory holds one header and what is captured. */
export async function* rewriteTar(source: AsyncIterable<Buffer>, options: RewriteTarOptions): AsyncGenerator<Buffer> {
  const input = createBlockReader(source);
  let held: Buffer[] = [];
  let waiting: { readonly name: string; readonly blocks: readonly Buffer[] }[] = [];
  let extended: Partial<TarHeader> = {};
  for (;;) {
    const block = await input.exactly(BLOCK);
    if (block === undefined || block.every((byte) => byte === 0)) break;
    const header = { ...parseHeader(block), ...extended };
    if (isExtension(header.type)) {
      const contents = (await input.exactly(padded(header.size))) ?? Buffer.alloc(0);
      held.push(block, contents);
      extended = { ...extended, ...parseExtension(header.type, contents.subarray(0, header.size)) };
      continue;
    }
    const decision = options.entry(header);
    const keep = decision === "keep" || decision === "capture";
    if (decision === "keep-if-filled") waiting.push({ name: `${header.name.replace(/\/$/, "")}/`, blocks: [...held, block] });
    if (keep) {
      for (const { name, blocks } of waiting) if (header.name.startsWith(name)) yield* blocks;
      waiting = [];
      yield* [...held, block];
    }
    const captured: Buffer[] = [];
    for await (const chunk of input.upTo(padded(contentSize(header)))) {
      if (keep) yield chunk;
      if (decision === "capture" || decision === "take") captured.push(chunk);
    }
    if (captured.length > 0) options.captured?.(header, Buffer.concat(captured).subarray(0, header.size));
    held = [];
    extended = {};
  }
  yield* options.append?.() ?? [];
  yield END;
  await input.drain();
}

/** One regular file as it stands in an archive: header, contents, padding. */
export function tarEntry(entry: { readonly name: string; readonly mode: number; readonly contents: Buffer }): Buffer {
  const { contents } = entry;
  return Buffer.concat([tarHeader({ name: entry.name, type: "0", mode: entry.mode, size: contents.length }), contents, tarPadding(contents.length)]);
}

/** A header of an entry that belongs to root and has no time. Names to 100 bytes. */
export function tarHeader(header: {
  readonly name: string;
  readonly type: string;
  readonly mode: number;
  readonly size: number;
  readonly linkName?: string;
}): Buffer {
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number) => value.toString(8).padStart(length - 1, "0");
  block.write(header.name, 0, 100);
  block.write(octal(header.mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(header.size, 12), 124);
  block.write(octal(0, 12), 136);
  block.write("        ", 148);
  block.write(header.type, 156);
  block.write(header.linkName ?? "", 157, 100);
  block.write("ustar\u000000", 257, "latin1");
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${octal(sum, 7)}\0 `, 148);
  return block;
}

/** What fills the last block of contents of that size. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc(padded(size) - size);
}

/** What ends an archive. */
export function tarEnd(): Buffer {
  return END;
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

/** Links and directories have no contents, whatever their size field says. */
function contentSize({ type, size }: TarHeader): number {
  return /[1-6]/.test(type) ? 0 : size;
}

function isExtension(type: string): boolean {
  return type === "x" || type === "g" || type === "L" || type === "K";
}

function parseHeader(block: Buffer): TarHeader {
  const prefix = block.toString("latin1", 257, 262) === "ustar" && block[263] === 0x30 ? text(block, 345, 155) : "";
  const name = text(block, 0, 100);
  const type = String.fromCharCode(block[156] ?? 0);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    type: type === "\0" ? "0" : type,
    size: number(block, 124, 12),
    mode: number(block, 100, 8),
    mtimeS: number(block, 136, 12),
    linkName: text(block, 157, 100),
  };
}

function parseExtension(type: string, contents: Buffer): Partial<TarHeader> {
  if (type === "L") return { name: text(contents, 0, contents.length) };
  if (type === "K") return { linkName: text(contents, 0, contents.length) };
  if (type === "g") return {};
  let found: Partial<TarHeader> = {};
  for (let at = 0; at < contents.length;) {
    const length = Number.parseInt(contents.toString("latin1", at, at + 20), 10);
    if (!(length > 0)) break;
    const record = contents.toString("utf8", at, at + length - 1);
    const [key, value] = splitOnce(record.slice(record.indexOf(" ") + 1));
    if (key === "path") found = { ...found, name: value };
    if (key === "linkpath") found = { ...found, linkName: value };
    if (key === "size") found = { ...found, size: Number(value) };
    if (key === "mtime") found = { ...found, mtimeS: Number(value) };
    at += length;
  }
  return found;
}

function splitOnce(record: string): readonly [string, string] {
  const at = record.indexOf("=");
  return [record.slice(0, at), record.slice(at + 1)];
}

function text(block: Buffer, start: number, length: number): string {
  const end = block.indexOf(0, start);
  return block.toString("utf8", start, end < 0 || end > start + length ? start + length : end);
}

/** Octal text, or GNU's binary form for large values. */
function number(block: Buffer, start: number, length: number): number {
  if (((block[start] ?? 0) & 0x80) !== 0) return Number(block.readBigInt64BE(start + length - 8));
  return Number.parseInt(text(block, start, length).trim() || "0", 8);
}

function createBlockReader(source: AsyncIterable<Buffer>) {
  const iterator = source[Symbol.asyncIterator]();
  let pending: Buffer = Buffer.alloc(0);

  const next = async (): Promise<Buffer | undefined> => {
    if (pending.length > 0) {
      const chunk = pending;
      pending = Buffer.alloc(0);
      return chunk;
    }
    const { value, done } = await iterator.next();
    return done ? undefined : value;
  };

  async function* upTo(count: number): AsyncGenerator<Buffer> {
    for (let missing = count; missing > 0;) {
      const chunk = await next();
      if (chunk === undefined) throw new Error("the tar stream ends inside an entry");
      pending = chunk.subarray(missing);
      const part = chunk.subarray(0, missing);
      missing -= part.length;
      yield part;
    }
  }

  return {
    upTo,
    /** Undefined at the end of the stream. */
    async exactly(count: number): Promise<Buffer | undefined> {
      const first = await next();
      if (first === undefined) return undefined;
      pending = first;
      const parts: Buffer[] = [];
      for await (const part of upTo(count)) parts.push(part);
      return parts.length === 1 ? parts[0] : Buffer.concat(parts);
    },
    /** Reads the padding behind the end, so that the sender is not cut off. */
    async drain(): Promise<void> {
      while ((await next()) !== undefined) {}
    },
  };
}
