/** What the system says of a write, with the file, which it doesn't name: `write /out/a: no space left on device`. */
export function writeError(path: string, error: unknown): Error {
  const message = error instanceof Error ? error.message : String(error);
  return new Error(`write ${path}: ${/^[A-Z\d]+: (.*), \w+$/.exec(message)?.[1] ?? message}`, { cause: error });
}
