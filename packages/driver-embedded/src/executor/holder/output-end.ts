import { Buffer } from "node:buffer";

/** Cuts one output stream where the nonce of its request stands. */
export interface OutputEnd {
  /** What of the chunk is the step's own output; what could be the start of the nonce waits for the next chunk. */
  push(chunk: Buffer): readonly Buffer[];
  /** The bytes behind the nonce, once it was seen. */
  readonly rest: Buffer | undefined;
}

/** The nonce is random per request, so nothing that a step writes can hold it. */
export function findOutputEnd(nonce: Buffer): OutputEnd {
  let held: Buffer = Buffer.alloc(0);
  let rest: Buffer | undefined;
  return {
    get rest() {
      return rest;
    },
    push(chunk) {
      if (rest !== undefined) {
        rest = Buffer.concat([rest, chunk]);
        return [];
      }
      const data: Buffer = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
      const at = data.indexOf(nonce);
      const end = at >= 0 ? at : data.length - possibleStart(data, nonce);
      held = data.subarray(end);
      if (at >= 0) rest = data.subarray(at + nonce.length);
      return end === 0 ? [] : [data.subarray(0, end)];
    },
  };
}

/** How many bytes at the end of the data are a beginning of the nonce. */
function possibleStart(data: Buffer, nonce: Buffer): number {
  for (let length = Math.min(nonce.length - 1, data.length); length > 0; length--) {
    if (data[data.length - length] === nonce[0] && data.subarray(data.length - length).equals(nonce.subarray(0, length))) return length;
  }
  return 0;
}
