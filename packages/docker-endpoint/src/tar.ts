/** One regular file of an archive; it belongs to root and has no time. */
export interface TarFile {
  /** Relative, with `/`; up to 100 bytes. */
  readonly name: string;
  /** Default 0644. */
  readonly mode?: number | undefined;
  readonly contents: Buffer;
}

const BLOCK = 512;
const NAME_LIMIT_BYTES = 100;

/** A tar archive (POSIX ustar) of small files, as the Docker API takes it: the same files give the same bytes. Throws for a name that doesn't fit. */
export function packTar(files: readonly TarFile[]): Buffer {
  return Buffer.concat([...files.flatMap(packFile), Buffer.alloc(2 * BLOCK)]);
}

function packFile({ name, mode = 0o644, contents }: TarFile): readonly Buffer[] {
  if (Buffer.byteLength(name) > NAME_LIMIT_BYTES) throw new RangeError(`the name is too long for an archive: ${name}`);
  const header = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  header.write(name, 0);
  header.write(octal(mode, 8), 100);
  header.write(octal(0, 8), 108);
  header.write(octal(0, 8), 116);
  header.write(octal(contents.length, 12), 124);
  header.write(octal(0, 12), 136);
  header.fill(" ", 148, 156);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${octal(sum, 7)} `, 148);
  return [header, contents, Buffer.alloc((BLOCK - (contents.length % BLOCK)) % BLOCK)];
}
