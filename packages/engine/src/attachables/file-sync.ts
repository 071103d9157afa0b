import { homedir } from "node:os";
import { open, realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  encodeBytesMessage,
  encodeStat,
  fileStat,
  globTree,
  type ImportOptions,
  parseImportOptions,
  sendTree,
  statPath,
  systemErrorText,
  walkTree,
} from "@anyrunner/filesync";
import { FILE_SYNC_DIFF_COPY, FILE_SYNC_TAR_STREAM, GrpcError, GrpcStatus, type GrpcCall, type GrpcRoutes } from "@anyrunner/protocol";
import type { AttachableSettings } from "./attachable-settings.ts";
import { diskError, isMissing } from "./disk-error.ts";
import { resolveClientPath, toSlash } from "./path-resolution.ts";

/** The engine reads this machine's disk (engine protocol 5.3). */
export function fileSyncRoutes(settings: AttachableSettings): GrpcRoutes {
  return {
    [FILE_SYNC_DIFF_COPY]: (call) => diffCopy(call, settings),
    [FILE_SYNC_TAR_STREAM]: async () => {
      throw new Error("tarstream not supported");
    },
  };
}

/** What travels depends on the mode: a Stat, a BytesMessage or Packets. The first mode that is asked for wins. */
async function diffCopy(call: GrpcCall, settings: AttachableSettings): Promise<void> {
  const options = parseImportOptions(call.metadata);
  const lexical = resolveClientPath(options.path, { cwd: settings.cwd, home: settings.home ?? homedir() });
  const path = options.statResolvePath ? await resolveLinks(lexical) : lexical;
  if (options.getAbsPathOnly) return call.send(encodeStat(fileStat({ path: toSlash(path) })));
  if (options.statPathOnly) return call.send(encodeStat(statOne(path, options)));
  if (options.searchOptions !== undefined) throw new GrpcError(GrpcStatus.UNIMPLEMENTED, "searching in the files of the host is not supported");
  if (options.globPattern !== "") return call.send(encodeBytesMessage(await glob(path, options, call)));
  if (options.readSingleFileOnly) return call.send(encodeBytesMessage(await readOne(path, options.maxFileSize)));
  await sendDirectory(path, options, call, settings);
}

/** The text repeats itself because the official client's does. */
async function resolveLinks(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch (error) {
    const found = diskError("eval symlinks", "lstat", path, error);
    const inner = found.status === GrpcStatus.NOT_FOUND ? `rpc error: code = NotFound desc = ${found.message}` : found.message;
    throw new GrpcError(found.status, `get full root path: ${inner}`, { cause: error });
  }
}

function statOne(path: string, options: ImportOptions) {
  const name = options.statReturnAbsPath ? toSlash(path) : basename(path) || "/";
  try {
    const stat = statPath(path, name);
    if (stat !== undefined) return stat;
  } catch (error) {
    throw diskError("stat path", "lstat", path, error);
  }
  throw diskError("stat path", "lstat", path, { code: "ENOENT", message: "no such file or directory" });
}

async function glob(path: string, options: ImportOptions, call: GrpcCall): Promise<Uint8Array> {
  try {
    return Buffer.from(JSON.stringify(await globTree({ root: path, pattern: options.globPattern, signal: call.signal })));
  } catch (error) {
    throw isMissing(error) ? diskError("glob", "lstat", path, error) : error;
  }
}

async function readOne(path: string, maximumBytes: number): Promise<Uint8Array> {
  const file = await open(path).catch((error: unknown) => {
    throw diskError(isMissing(error) ? "read path" : "read file", "open", path, error);
  });
  try {
    const { size } = await file.stat();
    if (size > maximumBytes) throw new Error(`file contents too large: ${size} > ${maximumBytes}`);
    const content = await file.readFile().catch((error: unknown) => {
      throw diskError("read file", "read", path, error);
    });
    if (content.length > maximumBytes) throw new Error(`file contents too large: ${content.length} > ${maximumBytes}`);
    return content;
  } finally {
    await file.close();
  }
}

async function sendDirectory(path: string, options: ImportOptions, call: GrpcCall, settings: AttachableSettings): Promise<void> {
  await checkDirectory(path);
  const entries = walkTree({
    root: path,
    include: options.includePatterns,
    exclude: options.excludePatterns,
    followPaths: options.followPaths,
    ...(options.useGitignore ? { gitignore: settings.gitignore } : {}),
    signal: call.signal,
  });
  const onTransferred = settings.onTransfer?.();
  try {
    await sendTree({ entries, channel: call, signal: call.signal });
  } catch (error) {
    throw isMissing(error) ? diskError("resolve", "lstat", path, error) : error;
  } finally {
    onTransferred?.();
  }
}

/** Before any packet: engine 0.14 tells its user the text of an error packet instead of this one, which is the official client's. */
async function checkDirectory(path: string): Promise<void> {
  const stats = await stat(path).catch((error: unknown) => {
    throw new GrpcError(GrpcStatus.UNKNOWN, `resolve : lstat ${path}: ${systemErrorText(error)}`, { cause: error });
  });
  if (!stats.isDirectory()) throw new GrpcError(GrpcStatus.UNKNOWN, `stat ${path}: not a directory`);
}
