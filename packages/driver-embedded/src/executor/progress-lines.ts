import type { Readable } from "node:stream";

/** One line of what Docker streams while it pulls, imports or loads. */
export interface ProgressLine {
  readonly status?: string;
  readonly stream?: string;
  readonly id?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
}

const LINE_LIMIT_CHARACTERS = 1_000_000;

/** Reads the lines; what is no JSON is left out. */
export async function* readProgressLines(body: Readable): AsyncGenerator<ProgressLine> {
  let pending = "";
  for await (const chunk of body.setEncoding("utf8") as AsyncIterable<string>) {
    pending += chunk;
    const lines = pending.split(/\r?\n/);
    pending = (lines.pop() ?? "").slice(0, LINE_LIMIT_CHARACTERS);
    for (const line of lines) yield* parseLine(line);
  }
  yield* parseLine(pending);
}

/** The daemon's words when a line says that it failed. */
export function progressError(line: ProgressLine): string | undefined {
  return line.errorDetail?.message ?? line.error;
}

function* parseLine(line: string): Generator<ProgressLine> {
  if (line.trim() === "") return;
  try {
    yield JSON.parse(line) as ProgressLine;
  } catch {
    // A daemon may mix in plain text; it has no meaning for programs.
  }
}
