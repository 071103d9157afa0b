import { FilesyncError } from "./filesync-error.ts";
import { readHeaderValues, writeHeaderValues, type CallMetadata } from "./header-values.ts";
import { readOptionsHeader, writeOptionsHeader } from "./options-header.ts";

/** What a FileSync call is about (engine protocol 5.3). */
export interface ImportOptions {
  /** As the engine wrote it: may be relative, or begin with `~`. */
  readonly path: string;
  readonly includePatterns: readonly string[];
  readonly excludePatterns: readonly string[];
  readonly followPaths: readonly string[];
  readonly useGitignore: boolean;
  readonly getAbsPathOnly: boolean;
  readonly statPathOnly: boolean;
  readonly statReturnAbsPath: boolean;
  readonly statResolvePath: boolean;
  readonly readSingleFileOnly: boolean;
  /** Bytes; the limit of `readSingleFileOnly`. */
  readonly maxFileSize: number;
  /** Engines from 1.0.0-beta.7: "" or a pattern whose matches are wanted. */
  readonly globPattern: string;
  /** Engines from 1.0.0-beta.7: what to search for in the files; undefined for other modes. */
  readonly searchOptions: unknown;
}

export const IMPORT_OPTIONS_HEADER = "x-dagger-local-import-opts";

/**
 * Reads the header, or, for engines that send none (0.14), the plain keys. Throws a FilesyncError `invalid`.
 */
export function parseImportOptions(metadata: CallMetadata): ImportOptions {
  const header = metadata.get(IMPORT_OPTIONS_HEADER);
  if (header === undefined) return parsePlainKeys(metadata);
  const fields = readOptionsHeader(IMPORT_OPTIONS_HEADER, header);
  return {
    path: fields.text("path"),
    includePatterns: fields.texts("include_patterns"),
    excludePatterns: fields.texts("exclude_patterns"),
    followPaths: fields.texts("follow_paths"),
    useGitignore: fields.flag("use_gitignore"),
    getAbsPathOnly: fields.flag("get_abs_path_only"),
    statPathOnly: fields.flag("stat_path_only"),
    statReturnAbsPath: fields.flag("stat_return_abs_path"),
    statResolvePath: fields.flag("stat_resolve_path"),
    readSingleFileOnly: fields.flag("read_single_file_only"),
    maxFileSize: fields.number("max_file_size"),
    globPattern: fields.text("glob_pattern"),
    searchOptions: fields.value("search_opts"),
  };
}

/** The engine's side: the header and the plain keys beside it. What is left out is zero. */
export function encodeImportOptions(options: Partial<ImportOptions>): Record<string, readonly string[]> {
  const path = options.path ?? "";
  const header = writeOptionsHeader({
    path,
    use_gitignore: options.useGitignore ?? false,
    include_patterns: options.includePatterns ?? null,
    exclude_patterns: options.excludePatterns ?? null,
    follow_paths: options.followPaths ?? null,
    read_single_file_only: options.readSingleFileOnly ?? false,
    max_file_size: options.maxFileSize ?? 0,
    stat_path_only: options.statPathOnly ?? false,
    stat_return_abs_path: options.statReturnAbsPath ?? false,
    stat_resolve_path: options.statResolvePath ?? false,
    get_abs_path_only: options.getAbsPathOnly ?? false,
    ...(options.globPattern === undefined ? {} : { glob_pattern: options.globPattern }),
    ...(options.searchOptions === undefined ? {} : { search_opts: options.searchOptions }),
  });
  return {
    [IMPORT_OPTIONS_HEADER]: [header],
    "dagger.gitignore": [String(options.useGitignore ?? false)],
    ...writeHeaderValues("dir-name", [path]),
    ...writeHeaderValues("include-patterns", options.includePatterns ?? []),
    ...writeHeaderValues("exclude-patterns", options.excludePatterns ?? []),
    ...writeHeaderValues("followpaths", options.followPaths ?? []),
  };
}

function parsePlainKeys(metadata: CallMetadata): ImportOptions {
  const paths = readHeaderValues(metadata, "dir-name");
  if (paths.length !== 1) throw new FilesyncError("invalid", `expected exactly one dir-name, got ${paths.length}`);
  return {
    path: paths[0]!,
    includePatterns: readHeaderValues(metadata, "include-patterns"),
    excludePatterns: readHeaderValues(metadata, "exclude-patterns"),
    followPaths: readHeaderValues(metadata, "followpaths"),
    useGitignore: metadata.get("dagger.gitignore") === "true",
    getAbsPathOnly: false,
    statPathOnly: false,
    statReturnAbsPath: false,
    statResolvePath: false,
    readSingleFileOnly: false,
    maxFileSize: 0,
    globPattern: "",
    searchOptions: undefined,
  };
}
