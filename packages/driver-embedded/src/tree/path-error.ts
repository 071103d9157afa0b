/** A file system error in the words of Go's `os` package, which API users know from the engine. */
export class PathError extends Error {
  readonly code: "ENOENT" | "ENOTDIR" | "EISDIR" | "EEXIST" | "ELOOP";

  constructor(operation: string, path: string, code: PathError["code"]) {
    super(`${operation} ${path}: ${WORDS[code]}`);
    this.code = code;
  }
}

const WORDS = {
  ENOENT: "no such file or directory",
  ENOTDIR: "not a directory",
  EISDIR: "is a directory",
  EEXIST: "file exists",
  ELOOP: "too many levels of symbolic links",
} as const;
