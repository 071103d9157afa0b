import { mkdir, stat } from "node:fs/promises";
import { homedir } from "node:os";
import { basename, dirname, join } from "node:path";
import { decodeBytesMessage, diskErrorText, parseExportOptions, receiveTree, type ExportOptions } from "@anyrunner/filesync";
import { FILE_SEND_DIFF_COPY, type GrpcCall, type GrpcRoutes } from "@anyrunner/protocol";
import type { AttachableSettings } from "./attachable-settings.ts";
import { isMissing } from "./disk-error.ts";
import { openFileTarget, type FileTarget } from "./file-target.ts";
import { resolveClientPath } from "./path-resolution.ts";
import { makeSpecialFile } from "./make-special-file.ts";
import { removePaths } from "./remove-paths.ts";

/** The engine writes to this machine's disk (engine protocol 5.4). */
export function fileSendRoutes(settings: AttachableSettings): GrpcRoutes {
  return { [FILE_SEND_DIFF_COPY]: (call) => diffCopy(call, settings) };
}

async function diffCopy(call: GrpcCall, settings: AttachableSettings): Promise<void> {
  const options = parseExportOptions(call.metadata);
  const path = resolveClientPath(options.path, { cwd: settings.cwd, home: settings.home ?? homedir() });
  await removePaths(path, options.removePaths);
  const onTransferred = settings.onTransfer?.();
  try {
    if (options.isFileStream) await receiveFile(call, await chooseDestination(path, options), options.fileMode);
    else await receiveDirectory(call, path, options.merge);
  } finally {
    onTransferred?.();
  }
}

async function receiveDirectory(call: GrpcCall, path: string, merge: boolean): Promise<void> {
  try {
    await receiveTree({ channel: call, destination: path, merge, makeSpecialFile, signal: call.signal });
  } catch (error) {
    throw new Error(`failed to receive fs changes: ${diskErrorText(error)}`, { cause: error });
  }
}

async function chooseDestination(path: string, options: ExportOptions): Promise<string> {
  if (!(await isDirectory(path))) return path;
  if (!options.allowParentDirPath) throw new Error(`destination "${path}" is a directory; must be a file path unless allowParentDirPath is set`);
  // Only a plain name may choose the place inside the directory.
  const name = basename(options.fileOriginalName);
  if (name === "" || name === "." || name === "..") throw new Error(`cannot export container tar to existing directory "${path}"`);
  return join(path, name);
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Ends with OK and no message: the engine takes the end of the stream for the acknowledgement. */
async function receiveFile(call: GrpcCall, path: string, fileMode: number): Promise<void> {
  const target = await openWithParents(path, fileMode).catch((error: unknown) => {
    throw new Error(diskErrorText(error), { cause: error });
  });
  try {
    for await (const message of call.messages) await target.write(decodeBytesMessage(message));
  } catch (error) {
    await target.discard();
    throw error;
  }
  await target.commit();
}

async function openWithParents(path: string, fileMode: number): Promise<FileTarget> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  return openFileTarget(path, fileMode);
}
