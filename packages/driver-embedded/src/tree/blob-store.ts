import { createHash, randomBytes } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { bytesContent, type Content } from "./node.ts";

/** Contents on disk, named by their digest; every one is whole, since it is renamed into place. */
export interface BlobStore {
  /** Takes `source` in; contents of at most 4 KiB stay in memory unless `onDisk` asks for a file. */
  add(source: AsyncIterable<Uint8Array> | Uint8Array, options?: { readonly onDisk?: boolean }): Promise<Content>;
  /** The bytes of `content`, in order. */
  open(content: Content, range?: { readonly limit?: number }): AsyncIterable<Uint8Array>;
  read(content: Content): Promise<Buffer>;
  has(digest: string): Promise<boolean>;
}

const INLINE_BYTES = 4096;

export function createBlobStore(folder: string): BlobStore {
  const pathOf = (digest: string) => join(folder, digest.slice(7, 9), digest.slice(9));
  const incoming = join(folder, "incoming");

  const addBytes = async (bytes: Uint8Array, onDisk: boolean): Promise<Content> => {
    const content = bytesContent(bytes);
    if (bytes.byteLength <= INLINE_BYTES && !onDisk) return content;
    await write(
      (async function* () {
        yield bytes;
      })(),
    );
    return bytes.byteLength <= INLINE_BYTES ? content : { digest: content.digest, size: content.size };
  };

  const write = async (source: AsyncIterable<Uint8Array>): Promise<Content> => {
    await mkdir(incoming, { recursive: true });
    const temporary = join(incoming, randomBytes(8).toString("hex"));
    const hash = createHash("sha256");
    let size = 0;
    try {
      await pipeline(
        source,
        async function* (chunks: AsyncIterable<Uint8Array>) {
          for await (const chunk of chunks) {
            hash.update(chunk);
            size += chunk.byteLength;
            yield chunk;
          }
        },
        createWriteStream(temporary, { flags: "wx", mode: 0o600 }),
      );
      const digest = `sha256:${hash.digest("hex")}`;
      await mkdir(join(folder, digest.slice(7, 9)), { recursive: true });
      await rename(temporary, pathOf(digest));
      return { digest, size };
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
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
        if (size > INLINE_BYTES) break;
      }
      return write(
        (async function* () {
          yield* head;
          yield* { [Symbol.asyncIterator]: () => chunks };
        })(),
      );
    },
    async *open(content, range = {}) {
      if (range.limit === 0 || content.size === 0) return;
      if (content.bytes !== undefined) {
        yield range.limit === undefined ? content.bytes : content.bytes.subarray(0, range.limit);
        return;
      }
      yield* createReadStream(pathOf(content.digest), { highWaterMark: 256 * 1024, ...(range.limit === undefined ? {} : { end: range.limit - 1 }) });
    },
    async read(content) {
      const chunks: Uint8Array[] = [];
      for await (const chunk of this.open(content)) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    async has(digest) {
      return (await stat(pathOf(digest)).catch(() => undefined)) !== undefined;
    },
  };
}
