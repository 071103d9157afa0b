// The two sides of a transfer.
export { sendTree, type SendTreeOptions } from "./send-tree.ts";
export { receiveTree, type ReceiveTreeOptions } from "./receive-tree.ts";
export { requestTree, type RequestTreeOptions } from "./request-tree.ts";
export type { PacketChannel } from "./packet-channel.ts";

// What is transferred.
export { walkTree, type WalkTreeOptions } from "./walk-tree.ts";
export { globTree } from "./glob-tree.ts";
export type { TreeEntry } from "./tree-entry.ts";
export type { TreeSelection } from "./tree-walk.ts";
export { localDisk, type Disk, type DirectoryItem } from "./disk.ts";
export { statPath } from "./disk-stat.ts";

// Messages.
export { fileStat, type FileStat } from "./file-stat.ts";
export { decodeStat, encodeStat } from "./stat-codec.ts";
export { decodePacket, encodePacket, type Packet } from "./packet.ts";
export { decodeBytesMessage, encodeBytesMessage } from "./bytes-message.ts";
export { goFileMode, isDirectory, isRegular, isSymlink, MODE, posixPermissions } from "./file-mode.ts";
export { encodeExportOptions, EXPORT_OPTIONS_HEADER, parseExportOptions, type ExportOptions } from "./export-options.ts";
export { encodeImportOptions, IMPORT_OPTIONS_HEADER, parseImportOptions, type ImportOptions } from "./import-options.ts";
export type { CallMetadata } from "./header-values.ts";
export { FilesyncError, type FilesyncErrorReason } from "./filesync-error.ts";
export { diskErrorText, systemErrorText } from "./system-error-text.ts";
export { writeError } from "./content-error.ts";

// Paths and patterns.
export { cleanPath, compareNames } from "./path-order.ts";
export { compilePatterns, type MatchState, type PatternMatch, type PatternMatcher } from "./pattern-matcher.ts";
export type { Pattern } from "./pattern.ts";
export { createTreeFilter, type FilterState, type TreeFilter, type Verdict } from "./tree-filter.ts";
export { enterDirectory, isIgnored, NO_RULES, type GitignoreScope } from "./gitignore-scope.ts";
