import type { LogRecord } from "@anyrunner/engine";

import { neutralize } from "./neutralize.ts";

/** The last lines of what steps have written, of a bounded number of them. */
export interface LogTails {
  add(log: LogRecord): void;
  /** The oldest first, safe to be shown; the line that has not ended is the last. */
  read(spanId: string): readonly string[];
  forget(spanId: string): void;
}

const MOST_TAILS = 1000;
const MOST_LINES = 10;
const LONGEST_LINE = 400;
/** Of a record no more than this is looked at: the end of it. */
const LONGEST_TEXT = 16 * 1024;

interface Tail {
  readonly lines: readonly string[];
  /** What was written after the last line break. */
  readonly rest: string;
}

export function createLogTails(): LogTails {
  const tails = new Map<string, Tail>();
  return {
    add({ spanId, text, attributes }) {
      if (text === "" || attributes["dagger.io/logs.verbose"] === true) return;
      const { lines = [], rest = "" } = tails.get(spanId) ?? {};
      const parts = (rest + text.slice(-LONGEST_TEXT)).split("\n");
      const last = parts.pop() ?? "";
      tails.delete(spanId);
      tails.set(spanId, { lines: [...lines, ...parts.slice(-MOST_LINES).map(shown)].slice(-MOST_LINES), rest: last.slice(-LONGEST_LINE * 2) });
      if (tails.size > MOST_TAILS) tails.delete(tails.keys().next().value ?? "");
    },
    read(spanId) {
      const { lines = [], rest = "" } = tails.get(spanId) ?? {};
      const all = rest === "" ? lines : [...lines, shown(rest)];
      return all.filter((line) => line.trim() !== "");
    },
    forget: (spanId) => void tails.delete(spanId),
  };
}

/** A line as a terminal leaves it, where later text covers what was before the return. */
function shown(line: string): string {
  const visible = line.replace(/\r+$/, "").split("\r").at(-1) ?? "";
  return neutralize(visible.slice(0, LONGEST_LINE)).replaceAll("\t", "  ");
}
