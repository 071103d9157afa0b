import type { Readable } from "node:stream";

import { RunnerError } from "@anyrunner/core";

const JSON_LIMIT_BYTES = 64 * 1024 * 1024;

/** The whole body as text; what lies beyond the limit is dropped and the stream destroyed. Rejects as the stream does. */
export async function readText(body: Readable, options: { readonly limitBytes: number }): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    chunks.push(chunk.subarray(0, options.limitBytes - length));
    length += chunk.length;
    if (length >= options.limitBytes) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** The whole body as JSON, `undefined` when it is empty. Fails with WRONG_SERVER for what is no JSON. */
export async function readJson<T>(body: Readable): Promise<T> {
  const text = await readText(body, { limitBytes: JSON_LIMIT_BYTES });
  if (text.trim() === "") return undefined as T;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new RunnerError("WRONG_SERVER", "what answers at the Docker host sends something else than JSON: it is no Docker daemon", {
      hint: "check the Docker host",
      cause: error,
    });
  }
}
