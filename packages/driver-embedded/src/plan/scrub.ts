const MASK = Buffer.from("***");

/** Replaces secret values in a stream of chunks, across their borders. */
export interface Scrubber {
  /** What can be passed on now; the end may be held back until it is sure to begin no secret. */
  push(chunk: Uint8Array): Buffer;
  /** What was held back. */
  end(): Buffer;
}

/**
 * A scrubber for `values`: each line of a value counts on its own, surrounding white space is ignored (engine 0.21.8
 * does so); nothing is too short to be masked.
 */
export function createScrubber(values: readonly Uint8Array[]): Scrubber {
  const needles = secretLines(values);
  if (needles.length === 0) return { push: (chunk) => Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength), end: () => Buffer.alloc(0) };
  const longest = needles[0]?.length ?? 0;
  let held = Buffer.alloc(0);
  return {
    push(chunk) {
      const data = Buffer.concat([held, chunk]);
      const { out, rest } = scan(data, needles, data.length - longest + 1);
      held = rest;
      return out;
    },
    end() {
      const { out } = scan(held, needles, held.length);
      held = Buffer.alloc(0);
      return out;
    },
  };
}

export function scrubText(text: string, values: readonly Uint8Array[]): string {
  return secretLines(values).reduce((result, needle) => result.replaceAll(needle.toString(), "***"), text);
}

function secretLines(values: readonly Uint8Array[]): Buffer[] {
  const lines = values.flatMap((value) => Buffer.from(value).toString().split("\n")).map((line) => line.trim());
  return [...new Set(lines)]
    .filter((line) => line !== "")
    .map((line) => Buffer.from(line))
    .toSorted((a, b) => b.length - a.length);
}

/** Masks every needle that begins before `limit`; the rest may begin one that is not whole yet. */
function scan(data: Buffer, needles: readonly Buffer[], limit: number): { out: Buffer; rest: Buffer<ArrayBuffer> } {
  const parts: Buffer[] = [];
  let at = 0;
  for (;;) {
    let next = -1;
    let found: Buffer | undefined;
    for (const needle of needles) {
      const index = data.indexOf(needle, at);
      if (index >= 0 && (next < 0 || index < next)) {
        next = index;
        found = needle;
      }
    }
    if (found === undefined || next >= limit) break;
    parts.push(data.subarray(at, next), MASK);
    at = next + found.length;
  }
  const end = Math.max(at, Math.min(data.length, limit));
  parts.push(data.subarray(at, end));
  return { out: Buffer.concat(parts), rest: Buffer.from(data.subarray(end)) };
}
