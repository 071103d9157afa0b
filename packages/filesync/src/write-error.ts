import { systemErrorText } from "./system-error-text.ts";

/** What the system says of a write, with the file, which it doesn't name: `write /out/a: no space left on device`. */
export function writeError(path: string, error: unknown): Error {
  return new Error(`write ${path}: ${systemErrorText(error)}`, { cause: error });
}
