/** A runner that the user gave a name. */
export interface NamedRunner {
  /** As given, with everything in it: the file is the user's alone. */
  readonly url: string;
}

/** Names can't be mistaken for URLs, ids of images or flags. */
export function isRunnerName(text: string): boolean {
  return /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,63}$/.test(text);
}

export function isNamedRunner(value: unknown): value is NamedRunner {
  return typeof value === "object" && value !== null && typeof (value as NamedRunner).url === "string";
}
