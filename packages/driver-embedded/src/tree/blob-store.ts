import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream, renameSync, writeFileSync } from "node:fs";
import { mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { bytesContent, type Content } from "./node.ts";

/** Contents on disk, named by their digest; every one is whole, since it is renamed into place. */
export interface BlobStore {
  /** Takes `source` in; contents of at most 4 KiB stay in memory unless `onDisk` asks for a file. */
  add(source: AsyncIterable<Uint8Array> | Uint8Array, options?: { readonly onDisk?: boolean }): Promise<Content>;
  /** The bytes of `content`, in order. */
  open(content: Content): AsyncIterable<Uint8Array>;
  read(content: Content): Promise<Buffer>;
  has(digest: string): Promise<boolean>;
}

const INLINE_BYTES = 4096;

/** Up to here a content is gathered and written at once; beyond it flows through. */
const WHOLE_BYTES = 256 * 1024;

export function createBlobStore(folder: string): BlobStore {
  const pathOf = (digest: string) => join(folder, digest.slice(7, 9), digest.slice(9));
  const incoming = join(folder, "incoming");
  let counter = 0;
  const made = new Map<string, Promise<unknown>>();
  const make = (path: string) => {
    const known = made.get(path) ?? mkdir(path, { recursive: true });
    made.set(path, known);
    return known;
  };

  /** `write` fills a file of its own, which then takes its place under the digest that it gives. */
  const place = async (write: (file: string) => Promise<Content>): Promise<Content> => {
    await make(incoming);
    const temporary = join(incoming, randomBytes(8).toString("hex"));
    try {
      const content = await write(temporary);
      await make(join(folder, content.digest.slice(7, 9)));
      await rename(temporary, pathOf(content.digest));
      return content;
    } catch (error) {
      await rm(temporary, { force: true });
      throw storeError(folder, error);
    }
  };

  const addBytes = async (bytes: Uint8Array, onDisk: boolean): Promise<Content> => {
    const inline = bytesContent(bytes);
    if (bytes.byteLength <= INLINE_BYTES && !onDisk) return inline;
    await make(incoming);
    await make(join(folder, inline.digest.slice(7, 9)));
    // A short file is written quicker than a thread is asked to: uploads have ten thousand of them.
    const temporary = join(incoming, `${process.pid}-${++counter}`);
    try {
      writeFileSync(temporary, bytes, { mode: 0o600 });
      renameSync(temporary, pathOf(inline.digest));
    } catch (error) {
      await rm(temporary, { force: true });
      throw storeError(folder, error);
    }
    return { digest: inline.digest, size: inline.size };
  };

  const addStream = (source: AsyncIterable<Uint8Array>): Promise<Content> =>
    place(async (file) => {
      const hash = createHash("sha256");
      let size = 0;
      await pipeline(
        source,
        async function* (chunks: AsyncIterable<Uint8Array>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            size += chunk.byteLength;
            yield chunk;
          }
        },
        createWriteStream(file, { flags: "wx", mode: 0o600 }),
      );
      return { digest: `sha256:${hash.digest("hex")}`, size };
    });

  const open = async function* (content: Content): AsyncGenerator<Uint8Array> {
    if (content.size === 0) return;
    if (content.bytes === undefined) yield* createReadStream(pathOf(content.digest), { highWaterMark: 256 * 1024 });
    else yield content.bytes;
  };

  return {
    async add(source, options = {}) {
      if (source instanceof Uint8Array) return addBytes(source, options.onDisk ?? false);
      const head: Uint8Array[] = [];
      let size = 0;
      const chunks = source[Symbol.asyncIterator]();
      for (;;) {
        const next = await chunks.next();
        if (next.done) return addBytes(Buffer.concat(head), options.onDisk ?? false);
        head.push(next.value);
        size += next.value.byteLength;
        if (size > WHOLE_BYTES) break;
      }
      return addStream(
        (async function* () {
          yield* head;
          yield* { [Symbol.asyncIterator]: () => chunks };
        })(),
      );
    },
    open,
    async read(content) {
      if (content.bytes !== undefined) return Buffer.from(content.bytes.buffer, content.bytes.byteOffset, content.bytes.byteLength);
      return content.size === 0 ? Buffer.alloc(0) : readFile(pathOf(content.digest));
    },
    async has(digest) {
      return (await stat(pathOf(digest)).catch(() => undefined)) !== undefined;
    },
  };
}

/** A full disk is none of the pipeline's: it says which one. */
function storeError(folder: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  return new Error(`no space left on device for the embedded runner's contents in ${folder}`, { cause: error });
}
