import { open, type FileHandle } from "node:fs/promises";

/** What the dynamic loader needs to start a program. */
export interface ElfNeeds {
  /** As image platforms name it: `amd64`, `arm64`; another machine by its number. */
  readonly architecture: string;
  /** The loader; undefined for a static program and for a library. */
  readonly interpreter: string | undefined;
  /** Names of libraries. */
  readonly needed: readonly string[];
  /** Folders that the file itself names, `$ORIGIN` not yet replaced. */
  readonly folders: readonly string[];
}

const PT_LOAD = 1;
const PT_DYNAMIC = 2;
const PT_INTERP = 3;
const DT_NEEDED = 1n;
const DT_STRTAB = 5n;
const DT_STRSZ = 10n;
const DT_RPATH = 15n;
const DT_RUNPATH = 29n;

/** Reads a 64-bit little-endian ELF file (System V ABI, chapters 4 and 5); undefined for anything else. */
export async function readElfNeeds(path: string): Promise<ElfNeeds | undefined> {
  const file = await open(path);
  try {
    const header = await readAt(file, 0, 64);
    if (header.length < 64 || header.toString("latin1", 0, 4) !== "\x7fELF" || header[4] !== 2 || header[5] !== 1) return undefined;
    const segments = await readSegments(file, header);
    const interpreter = segments.find(({ type }) => type === PT_INTERP);
    const dynamic = segments.find(({ type }) => type === PT_DYNAMIC);
    const lists = dynamic === undefined ? { needed: [], folders: [] } : await readDynamic(file, dynamic, segments);
    return {
      architecture: architecture(header.readUInt16LE(18)),
      interpreter: interpreter && text(await readAt(file, interpreter.offset, interpreter.fileSize), 0),
      ...lists,
    };
  } finally {
    await file.close();
  }
}

interface ElfSegment {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly fileSize: number;
}

async function readSegments(file: FileHandle, header: Buffer): Promise<readonly ElfSegment[]> {
  const size = header.readUInt16LE(54);
  const count = header.readUInt16LE(56);
  const table = await readAt(file, Number(header.readBigUInt64LE(32)), size * count);
  return Array.from({ length: count }, (_, index) => {
    const at = index * size;
    const value = (offset: number) => Number(table.readBigUInt64LE(at + offset));
    return { type: table.readUInt32LE(at), offset: value(8), address: value(16), fileSize: value(32) };
  });
}

async function readDynamic(file: FileHandle, dynamic: ElfSegment, segments: readonly ElfSegment[]): Promise<Pick<ElfNeeds, "needed" | "folders">> {
  const table = await readAt(file, dynamic.offset, dynamic.fileSize);
  const entries: (readonly [bigint, number])[] = [];
  for (let at = 0; at + 16 <= table.length; at += 16) entries.push([table.readBigInt64LE(at), Number(table.readBigUInt64LE(at + 8))]);
  const values = (tag: bigint) => entries.filter(([entry]) => entry === tag).map(([, value]) => value);
  const [address = 0] = values(DT_STRTAB);
  const [size = 0] = values(DT_STRSZ);
  const home = segments.find((segment) => segment.type === PT_LOAD && address >= segment.address && address < segment.address + segment.fileSize);
  if (home === undefined) return { needed: [], folders: [] };
  const strings = await readAt(file, home.offset + address - home.address, size);
  return {
    needed: values(DT_NEEDED).map((at) => text(strings, at)),
    folders: [...values(DT_RUNPATH), ...values(DT_RPATH)].flatMap((at) => text(strings, at).split(":")),
  };
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(length), position });
  return buffer.subarray(0, bytesRead);
}

function text(bytes: Buffer, start: number): string {
  const end = bytes.indexOf(0, start);
  return bytes.toString("utf8", start, end < 0 ? bytes.length : end);
}

function architecture(machine: number): string {
  if (machine === 62) return "amd64";
  return machine === 183 ? "arm64" : String(machine);
}
