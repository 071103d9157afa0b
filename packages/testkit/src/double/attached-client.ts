import { decodeBytesMessage, decodePacket, decodeStat, encodeBytesMessage, encodePacket, type FileStat } from "@anyrunner/filesync";
import {
  Auth,
  callUnary,
  FILE_SEND_DIFF_COPY,
  FILE_SYNC_DIFF_COPY,
  GrpcError,
  GrpcStatus,
  Health,
  openGrpcStream,
  Secrets,
  type GrpcStream,
  type Http2Connection,
} from "@anyrunner/protocol";

/** What the engine asks of a client that is attached to it (engine protocol section 5). */
export interface AttachedClient {
  checkHealth(): Promise<void>;
  absolutePath(path: string): Promise<string>;
  /** Undefined where nothing is. `resolve` follows symbolic links first. */
  stat(path: string, options?: { readonly resolve?: boolean }): Promise<FileStat | undefined>;
  readFile(path: string): Promise<Buffer>;
  /** A whole tree: every entry, and the content of every regular file that `wants` asks for (default: all). */
  readTree(path: string, options?: ReadTreeOptions): Promise<readonly TreeFile[]>;
  writeFile(
    path: string,
    content: Iterable<Uint8Array>,
    options?: { readonly originalName?: string; readonly allowParentDirectory?: boolean; readonly mode?: number },
  ): Promise<void>;
  /** Writes a tree of entries in protocol order; files have their content. */
  writeTree(path: string, files: readonly TreeFile[], options?: { readonly merge?: boolean; readonly removePaths?: readonly string[] }): Promise<void>;
  secret(uri: string): Promise<Buffer>;
  credentials(host: string): Promise<{ readonly username: string; readonly secret: string }>;
}

/** One entry of a tree. */
export interface TreeFile {
  readonly stat: FileStat;
  /** Of a regular file that was asked for. */
  readonly content?: Buffer;
}

/** Which entries a client is asked for, in the patterns of the file transfer (engine protocol 5.3). Default: all. */
export interface ReadTreeOptions {
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  readonly followPaths?: readonly string[];
  readonly gitignore?: boolean;
  /** Only the chain of parents is asked for; the engine then has no list for `follow_paths`. */
  readonly parents?: boolean;
  /** Whether the content of a regular file is asked for, too. Default: of each. */
  readonly wants?: (stat: FileStat) => boolean;
}

const SINGLE_FILE_LIMIT_BYTES = 3_984_588;
/** Directory, symbolic link, pipe, socket, device, character device, irregular: content may not be asked for. */
const TYPE_MASK = 0x8f280000;

/** `beforeCall` runs before each call: it may fail it, or never return. */
export function createAttachedClient(connection: Http2Connection, beforeCall: () => Promise<void>): AttachedClient {
  const open = async (
    path: string,
    header: string,
    options: Readonly<Record<string, unknown>>,
    plain: Readonly<Record<string, string | readonly string[]>> = {},
  ) => {
    await beforeCall();
    return openGrpcStream(connection, path, { metadata: { [header]: Buffer.from(JSON.stringify(options)).toString("base64"), ...plain } });
  };
  const importFrom = (path: string, mode: Readonly<Record<string, unknown>>) => {
    const options = { ...NO_IMPORT_MODE, ...mode, path };
    const plain = {
      "dir-name": path,
      "dagger.gitignore": String(options.use_gitignore),
      ...lists("include-patterns", options.include_patterns),
      ...lists("exclude-patterns", options.exclude_patterns),
      ...lists("followpaths", options.follow_paths),
    };
    return open(FILE_SYNC_DIFF_COPY, "x-dagger-local-import-opts", options, plain);
  };
  const exportTo = (path: string, mode: Readonly<Record<string, unknown>>) =>
    open(FILE_SEND_DIFF_COPY, "x-dagger-local-export-opts", { ...NO_EXPORT_MODE, ...mode, path });

  return {
    async checkHealth() {
      await beforeCall();
      await callUnary(connection, Health.check, {});
    },
    async absolutePath(path) {
      return decodeStat(await onlyMessage(await importFrom(path, { get_abs_path_only: true }))).path;
    },
    async stat(path, { resolve = false } = {}) {
      try {
        return decodeStat(await onlyMessage(await importFrom(path, { stat_path_only: true, stat_return_abs_path: true, stat_resolve_path: resolve })));
      } catch (error) {
        if (GrpcError.is(error, GrpcStatus.NOT_FOUND)) return undefined;
        throw error;
      }
    },
    async readFile(path) {
      const message = await onlyMessage(await importFrom(path, { read_single_file_only: true, max_file_size: SINGLE_FILE_LIMIT_BYTES }));
      return Buffer.from(decodeBytesMessage(message));
    },
    async readTree(path, options = {}) {
      const { include = [], exclude = [], followPaths = [], gitignore = false, parents = false, wants = () => true } = options;
      const stream = await importFrom(path, {
        include_patterns: include,
        exclude_patterns: exclude,
        follow_paths: parents ? null : followPaths,
        use_gitignore: gitignore,
      });
      return receiveTree(stream, wants);
    },
    async writeFile(path, content, options = {}) {
      const stream = await exportTo(path, {
        is_file_stream: true,
        file_original_name: options.originalName ?? "",
        allow_parent_dir_path: options.allowParentDirectory ?? false,
        file_mode: options.mode ?? 0o644,
      });
      for (const data of content) await stream.send(encodeBytesMessage(data));
      stream.end();
      for await (const _ of stream.messages) throw new Error("the client sent a message where the engine expects the end");
    },
    async writeTree(path, files, options = {}) {
      await sendTree(await exportTo(path, { Merge: options.merge ?? false, remove_paths: options.removePaths ?? null }), files);
    },
    async secret(uri) {
      await beforeCall();
      return Buffer.from((await callUnary(connection, Secrets.getSecret, { id: uri })).data);
    },
    async credentials(host) {
      await beforeCall();
      const { username, secret } = await callUnary(connection, Auth.credentials, { host });
      return { username, secret };
    },
  };
}

/** As the engine's encoder writes them: every key, in this order. */
const NO_IMPORT_MODE = {
  path: "",
  use_gitignore: false,
  include_patterns: null,
  exclude_patterns: null,
  follow_paths: null,
  read_single_file_only: false,
  max_file_size: 0,
  stat_path_only: false,
  stat_return_abs_path: false,
  stat_resolve_path: false,
  get_abs_path_only: false,
};
const NO_EXPORT_MODE = {
  path: "",
  is_file_stream: false,
  file_original_name: "",
  allow_parent_dir_path: false,
  file_mode: 0,
  Merge: false,
  remove_paths: null,
};

function lists(key: string, values: unknown): Record<string, readonly string[]> {
  return Array.isArray(values) && values.length > 0 ? { [key]: values as readonly string[] } : {};
}

/** The engine reads exactly one message, then half-closes. */
async function onlyMessage(stream: GrpcStream): Promise<Uint8Array> {
  let first: Uint8Array | undefined;
  for await (const message of stream.messages) {
    first ??= message;
    stream.end();
  }
  if (first === undefined) throw new Error("the client answered without a message");
  return first;
}

/** Reads the listing and the wanted contents, then cancels: that is how the engine says that it has all (protocol 5.3). */
async function receiveTree(stream: GrpcStream, wants: (stat: FileStat) => boolean): Promise<readonly TreeFile[]> {
  const entries: { readonly stat: FileStat; readonly chunks: Buffer[]; readonly requested: boolean }[] = [];
  let missing = 0;
  let listed = false;
  for await (const message of stream.messages) {
    const packet = decodePacket(message);
    if (packet.type === "error") throw new Error(packet.message);
    if (packet.type === "stat" && packet.stat === undefined) listed = true;
    else if (packet.type === "stat" && packet.stat !== undefined) {
      const { stat } = packet;
      const requested = (stat.mode & TYPE_MASK) === 0 && stat.linkname === "" && !stat.gitIgnored && wants(stat);
      if (requested) {
        missing += 1;
        await stream.send(encodePacket({ type: "request", id: entries.length }));
      }
      entries.push({ stat, chunks: [], requested });
    } else if (packet.type === "data" && packet.data.length === 0) missing -= 1;
    else if (packet.type === "data") entries[packet.id]?.chunks.push(Buffer.from(packet.data));
    if (listed && missing === 0) break;
  }
  stream.cancel();
  return entries.map(({ stat, chunks, requested }) => (requested ? { stat, content: Buffer.concat(chunks) } : { stat }));
}

/** Sends the listing, serves what is asked for, and answers the receiver's end with its own. */
async function sendTree(stream: GrpcStream, files: readonly TreeFile[]): Promise<void> {
  await Promise.all([listFiles(stream, files), serveFiles(stream, files)]);
}

async function listFiles(stream: GrpcStream, files: readonly TreeFile[]): Promise<void> {
  for (const { stat } of files) await stream.send(encodePacket({ type: "stat", stat }));
  await stream.send(encodePacket({ type: "stat", stat: undefined }));
}

async function serveFiles(stream: GrpcStream, files: readonly TreeFile[]): Promise<void> {
  for await (const message of stream.messages) {
    const packet = decodePacket(message);
    if (packet.type === "error") throw new Error(packet.message);
    if (packet.type === "request") {
      const { content = Buffer.alloc(0) } = files[packet.id] ?? {};
      for (let start = 0; start < content.length; start += 32_768) {
        await stream.send(encodePacket({ type: "data", id: packet.id, data: content.subarray(start, start + 32_768) }));
      }
      await stream.send(encodePacket({ type: "data", id: packet.id, data: Buffer.alloc(0) }));
    }
    if (packet.type === "finish") {
      await stream.send(encodePacket({ type: "finish" }));
      stream.end();
    }
  }
}
