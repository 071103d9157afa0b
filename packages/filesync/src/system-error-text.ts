import { getSystemErrorMap } from "node:util";
import { nameOfBytes } from "./file-name.ts";

interface SystemError {
  readonly errors?: readonly unknown[];
  readonly errno?: unknown;
  readonly message?: unknown;
  readonly syscall?: unknown;
  readonly path?: unknown;
}

/** What Node says in words of its own. */
const SYSTEM_WORDS: Readonly<Record<string, string>> = {
  EEXIST: "file exists",
  EISDIR: "is a directory",
  ELOOP: "too many levels of symbolic links",
  ENAMETOOLONG: "file name too long",
};

/** What the operating system says, without Node's additions: `connection refused`. Of a host with several addresses, the first failure. */
export function systemErrorText(error: unknown): string {
  const { errors, errno, message } = error as SystemError;
  if (errors?.[0] !== undefined) return systemErrorText(errors[0]);
  const [code = "", text] = (typeof errno === "number" ? getSystemErrorMap().get(errno) : undefined) ?? [];
  return SYSTEM_WORDS[code] ?? text ?? String(message ?? error);
}

/** `mkdir /x: file exists`, where Node says `EEXIST: file already exists, mkdir '/x'`. What isn't of the file system keeps its message. */
export function diskErrorText(error: unknown): string {
  const { syscall, path } = error as SystemError;
  const name = path instanceof Uint8Array ? nameOfBytes(path).toWellFormed() : path;
  if (typeof syscall !== "string" || typeof name !== "string") return error instanceof Error ? error.message : String(error);
  // Go opens directories, too.
  return `${syscall === "scandir" ? "open" : syscall} ${name}: ${systemErrorText(error)}`;
}
