import { systemErrorText } from "./system-error-text.ts";

/** What the system says of a read, with the file, which it doesn't name: `read /in/a: input/output error`. */
export function readError(path: string, error: unknown): Error {
  return new Error(`read ${path}: ${systemErrorText(error)}`, { cause: error });
}

/** The same of a write: `write /out/a: no space left on device`. */
export function writeError(path: string, error: unknown): Error {
  return new Error(`write ${path}: ${systemErrorText(error)}`, { cause: error });
}
