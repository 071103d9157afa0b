import { Buffer } from "node:buffer";

/** What a step's process is started with. */
export interface StepRequest {
  /** At least one. */
  readonly args: readonly string[];
  /** `NAME=value`; HOME is added when missing. */
  readonly env: readonly string[];
  readonly workingDir: string;
  readonly user: string;
  readonly stdin?: Uint8Array | undefined;
}

export const NONCE_BYTES = 16;

const OPERATIONS = { step: 1, kill: 2, remove: 3, mkdir: 4, prune: 5, clear: 6 } as const;

/** One request to the holder, as holder.c describes it. The nonce marks the end of what the request writes. */
export function encodeStep(nonce: Buffer, step: StepRequest): readonly Uint8Array[] {
  const head = Buffer.concat([...string(step.user), ...string(step.workingDir), ...strings(step.args), ...strings(step.env)]);
  if (step.stdin === undefined) return frame(OPERATIONS.step, nonce, [head, Buffer.of(0)]);
  return frame(OPERATIONS.step, nonce, [head, Buffer.of(1), number(step.stdin.length), step.stdin]);
}

/** Ends the running step, whose own answer then comes. */
export function encodeKill(): readonly Uint8Array[] {
  return frame(OPERATIONS.kill, Buffer.alloc(NONCE_BYTES), []);
}

/** Removes trees; missing ones are fine, and what is mounted below stays as it is. */
export function encodeRemove(nonce: Buffer, paths: readonly string[]): readonly Uint8Array[] {
  return frame(OPERATIONS.remove, nonce, strings(paths));
}

/** Makes a directory and its parents. */
export function encodeMkdir(nonce: Buffer, path: string): readonly Uint8Array[] {
  return frame(OPERATIONS.mkdir, nonce, string(path));
}

/** Removes those directories that are empty. */
export function encodePrune(nonce: Buffer, paths: readonly string[]): readonly Uint8Array[] {
  return frame(OPERATIONS.prune, nonce, strings(paths));
}

/** Empties directories; what is mounted below stays as it is. */
export function encodeClear(nonce: Buffer, paths: readonly string[]): readonly Uint8Array[] {
  return frame(OPERATIONS.clear, nonce, strings(paths));
}

function frame(operation: number, nonce: Buffer, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  const length = 1 + nonce.length + parts.reduce((sum, part) => sum + part.length, 0);
  return [number(length), Buffer.of(operation), nonce, ...parts];
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function string(text: string): readonly Buffer[] {
  const bytes = Buffer.from(text, "utf8");
  return [number(bytes.length), bytes, Buffer.of(0)];
}

function strings(list: readonly string[]): readonly Buffer[] {
  return [number(list.length), ...list.flatMap((text) => string(text))];
}
