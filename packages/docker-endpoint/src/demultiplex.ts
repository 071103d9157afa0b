import { RunnerError } from "@anyrunner/core";

export interface Demultiplexer {
  /** Takes bytes cut anywhere; calls the sinks with views of them, in order. Fails with WRONG_SERVER for what is no frame. */
  push(chunk: Buffer): void;
  /** Whether the bytes so far end with a whole frame. */
  readonly complete: boolean;
}

export interface DemultiplexerSinks {
  stdout(chunk: Buffer): void;
  stderr(chunk: Buffer): void;
}

const HEADER_BYTES = 8;
const STDIN = 0;
const STDOUT = 1;
const STDERR = 2;
/** What goes wrong inside the daemon (moby pkg/stdcopy `Systemerr`). */
const SYSTEM_ERROR = 3;

/**
 * Takes Docker's multiplexed stream apart: frames of `[stream, 0, 0, 0, length as 32 bits big-endian]` and payload
 * (Docker Engine API, "Stream format"). Nothing is copied or kept but a header that is cut.
 */
export function createDemultiplexer(sinks: DemultiplexerSinks): Demultiplexer {
  const header = Buffer.alloc(HEADER_BYTES);
  let headerLength = 0;
  let kind = STDOUT;
  let remaining = 0;

  function deliver(payload: Buffer): void {
    if (kind === STDERR || kind === SYSTEM_ERROR) sinks.stderr(payload);
    else sinks.stdout(payload);
  }

  return {
    get complete() {
      return headerLength === 0 && remaining === 0;
    },
    push(chunk) {
      let offset = 0;
      while (offset < chunk.length) {
        if (remaining > 0) {
          const end = Math.min(offset + remaining, chunk.length);
          remaining -= end - offset;
          deliver(chunk.subarray(offset, end));
          offset = end;
          continue;
        }
        const taken = chunk.copy(header, headerLength, offset, Math.min(chunk.length, offset + HEADER_BYTES - headerLength));
        headerLength += taken;
        offset += taken;
        if (headerLength < HEADER_BYTES) return;
        headerLength = 0;
        kind = header.readUInt8(0);
        if (kind > SYSTEM_ERROR || kind < STDIN || header.readUIntBE(1, 3) !== 0) throw notMultiplexed(header);
        remaining = header.readUInt32BE(4);
      }
    },
  };
}

function notMultiplexed(header: Buffer): RunnerError {
  return new RunnerError("WRONG_SERVER", `the Docker daemon sent a stream that is not multiplexed (it began a frame with ${header.toString("hex")})`, {
    hint: "check what stands between here and the daemon",
  });
}
