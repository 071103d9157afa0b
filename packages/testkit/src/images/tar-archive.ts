import { opendir, readFile, readlink, lstat } from "node:fs/promises";
import { join } from "node:path";

const BLOCK_BYTES = 512;

/** The folder as a ustar archive in memory, owned by root; for small test images: paths under 100 bytes, no hard links. */
export async function tarFolder(directory: string): Promise<Buffer> {
  const blocks: Buffer[] = [];
  await addFolder(blocks, directory, "");
  blocks.push(Buffer.alloc(2 * BLOCK_BYTES));
  return Buffer.concat(blocks);
}

async function addFolder(blocks: Buffer[], directory: string, prefix: string): Promise<void> {
  const names: string[] = [];
  for await (const entry of await opendir(directory)) names.push(entry.name);
  for (const name of names.toSorted()) {
    const path = join(directory, name);
    const status = await lstat(path);
    if (status.isDirectory()) {
      blocks.push(header({ name: `${prefix}${name}/`, mode: status.mode, size: 0, type: "5", link: "" }));
      await addFolder(blocks, path, `${prefix}${name}/`);
    } else if (status.isSymbolicLink()) {
      blocks.push(header({ name: prefix + name, mode: 0o777, size: 0, type: "2", link: await readlink(path) }));
    } else {
      const content = await readFile(path);
      blocks.push(header({ name: prefix + name, mode: status.mode, size: content.length, type: "0", link: "" }), content);
      blocks.push(Buffer.alloc((BLOCK_BYTES - (content.length % BLOCK_BYTES)) % BLOCK_BYTES));
    }
  }
}

function header(entry: { readonly name: string; readonly mode: number; readonly size: number; readonly type: string; readonly link: string }): Buffer {
  if (Buffer.byteLength(entry.name) >= 100 || Buffer.byteLength(entry.link) >= 100) throw new Error(`path too long for a test image: ${entry.name}`);
  const block = Buffer.alloc(BLOCK_BYTES);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  block.write(entry.name, 0);
  block.write(octal(entry.mode & 0o7777, 8), 100);
  block.write(octal(0, 8) + octal(0, 8) + octal(entry.size, 12) + octal(0, 12), 108);
  block.write("        ", 148);
  block.write(entry.type, 156);
  block.write(entry.link, 157);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
