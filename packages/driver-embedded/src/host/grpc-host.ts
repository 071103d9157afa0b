import {
  decodeStat,
  encodeBytesMessage,
  encodeExportOptions,
  encodeImportOptions,
  sendTree,
  type FileStat,
  type ImportOptions,
  type TreeEntry,
} from "@anyrunner/filesync";
import {
  Auth,
  callUnary,
  FILE_SEND_DIFF_COPY,
  FILE_SYNC_DIFF_COPY,
  GrpcError,
  GrpcStatus,
  openGrpcStream,
  Secrets,
  type GrpcStream,
  type Http2Connection,
} from "@anyrunner/protocol";

import type { Call } from "../plan/call.ts";
import type { BlobStore } from "../tree/blob-store.ts";
import { walkNodes, type FolderNode } from "../tree/node.ts";
import { entryStat } from "./entry-stat.ts";
import type { HostClient } from "./host-client.ts";
import { readHostTree } from "./read-host-tree.ts";
import type { HostMirrors } from "./mirrors.ts";

export interface GrpcHostOptions {
  /** The connection to the client's attachables, as soon as they are there. */
  readonly connection: (call: Call) => Promise<Http2Connection>;
  /** What earlier transfers from this machine brought. */
  readonly mirrors: HostMirrors;
  /** Stable per machine; empty when the client does not say. */
  readonly machine: string;
}

/** The limit of one message of a file, as the engine keeps it. */
const FILE_CHUNK_BYTES = 3_984_588;

/** The client's machine through its session attachables (engine protocol 5.3 to 5.7). */
export function createGrpcHost({ connection, mirrors, machine }: GrpcHostOptions): HostClient {
  const open = async (path: string, metadata: Record<string, readonly string[]>, call: Call): Promise<GrpcStream> =>
    openGrpcStream(await connection(call), path, { metadata, signal: call.signal });

  const stat = async (options: Partial<ImportOptions>, call: Call): Promise<FileStat> => {
    const stream = await open(FILE_SYNC_DIFF_COPY, encodeImportOptions(options), call);
    let answer: FileStat | undefined;
    for await (const message of stream.messages) answer ??= decodeStat(message);
    stream.end();
    if (answer === undefined) throw new GrpcError(GrpcStatus.INTERNAL, "no stat message");
    return answer;
  };

  /** Where an export ended up, as the engine asks for it. */
  const exportedPath = async (path: string, call: Call): Promise<string> => (await stat({ path, statPathOnly: true, statReturnAbsPath: true }, call)).path;

  return {
    async realPath(path, call) {
      return (await stat({ path, statPathOnly: true, statReturnAbsPath: true, statResolvePath: true }, call)).path;
    },

    async exists(path, call) {
      try {
        await stat({ path, statPathOnly: true }, call);
        return true;
      } catch (error) {
        if (GrpcError.is(error) && error.status === GrpcStatus.NOT_FOUND) return false;
        throw error;
      }
    },

    readTree: (selection, store, call) => readHostTree({ selection, store, call, mirror: mirrors.open(machine, selection), open }),

    async writeTree(path, folder, { wipe }, store, call) {
      const stream = await open(FILE_SEND_DIFF_COPY, encodeExportOptions({ path, merge: !wipe }), call);
      await sendTree({ entries: folderEntries(folder, store), channel: stream });
      stream.end();
      for await (const _ of stream.messages);
      return exportedPath(path, call);
    },

    async writeFile(file, store, call) {
      const { path, mode, originalName, allowParentDirPath } = file;
      const stream = await open(
        FILE_SEND_DIFF_COPY,
        encodeExportOptions({ path, isFileStream: true, fileOriginalName: originalName, allowParentDirPath, fileMode: mode }),
        call,
      );
      try {
        for await (const chunk of store.open(file.content)) {
          for (let at = 0; at < chunk.length; at += FILE_CHUNK_BYTES) await stream.send(encodeBytesMessage(chunk.subarray(at, at + FILE_CHUNK_BYTES)));
        }
        stream.end();
      } catch (error) {
        // A refusal ends the call before everything is sent; its status says more than the failed write.
        for await (const _ of stream.messages);
        throw error;
      }
      for await (const _ of stream.messages);
      return exportedPath(path, call);
    },

    async secret(uri, call) {
      const { data } = await callUnary(await connection(call), Secrets.getSecret, { id: uri }, { signal: call.signal });
      return data;
    },

    async credentials(host, call) {
      try {
        const { username, secret } = await callUnary(await connection(call), Auth.credentials, { host }, { signal: call.signal });
        return secret === "" ? undefined : { username, secret };
      } catch (error) {
        if (GrpcError.is(error) && error.status === GrpcStatus.NOT_FOUND) return undefined;
        throw error;
      }
    },
  };
}

async function* folderEntries(folder: FolderNode, store: BlobStore): AsyncGenerator<TreeEntry> {
  for (const [path, node] of walkNodes(folder)) {
    const stat = entryStat(path, node);
    yield node.kind === "file" ? { stat, open: () => store.open(node.content) } : { stat };
  }
}
