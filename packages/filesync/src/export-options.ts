import { FilesyncError } from "./filesync-error.ts";
import type { CallMetadata } from "./header-values.ts";
import { readOptionsHeader, writeOptionsHeader } from "./options-header.ts";

/** What a FileSend call is about (engine protocol 5.4). */
export interface ExportOptions {
  /** As the engine wrote it: may be relative, or begin with `~`. */
  readonly path: string;
  /** A file's bytes follow instead of a tree. */
  readonly isFileStream: boolean;
  readonly fileOriginalName: string;
  /** The path may be a directory; the file then goes into it under its original name. */
  readonly allowParentDirPath: boolean;
  /** Permission bits; 0 for the default. */
  readonly fileMode: number;
  readonly merge: boolean;
  /** Relative to the path; with a trailing `/` a whole directory. */
  readonly removePaths: readonly string[];
}

export const EXPORT_OPTIONS_HEADER = "x-dagger-local-export-opts";

/** Throws a FilesyncError `invalid`. */
export function parseExportOptions(metadata: CallMetadata): ExportOptions {
  const header = metadata.get(EXPORT_OPTIONS_HEADER);
  if (header === undefined) throw new FilesyncError("invalid", `expected exactly one ${EXPORT_OPTIONS_HEADER} value, got 0`);
  const fields = readOptionsHeader(EXPORT_OPTIONS_HEADER, header);
  return {
    path: fields.text("path"),
    isFileStream: fields.flag("is_file_stream"),
    fileOriginalName: fields.text("file_original_name"),
    allowParentDirPath: fields.flag("allow_parent_dir_path"),
    fileMode: fields.number("file_mode"),
    // The one key that the engine spells with a capital.
    merge: fields.flag("Merge"),
    removePaths: fields.texts("remove_paths"),
  };
}

/** The engine's side; what is left out is zero. */
export function encodeExportOptions(options: Partial<ExportOptions>): Record<string, readonly string[]> {
  const header = writeOptionsHeader({
    path: options.path ?? "",
    is_file_stream: options.isFileStream ?? false,
    file_original_name: options.fileOriginalName ?? "",
    allow_parent_dir_path: options.allowParentDirPath ?? false,
    file_mode: options.fileMode ?? 0,
    Merge: options.merge ?? false,
    remove_paths: options.removePaths ?? null,
  });
  return { [EXPORT_OPTIONS_HEADER]: [header] };
}
