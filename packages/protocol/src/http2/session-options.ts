/** Receive window of a stream and of a connection. Node's 64 KiB cost more than half of the throughput; more than 1 MiB brings nothing. */
export const DEFAULT_WINDOW_BYTES = 1024 * 1024;

/** Largest frame and largest header list that we accept, as the engine announces them. */
const MAX_FRAME_BYTES = 1024 * 1024;
const MAX_HEADER_BYTES = 1024 * 1024;

/** Megabytes one session may hold. It limits streams times windows; node's 10 kills busy sessions. */
const MAX_SESSION_MEMORY_MB = 1000;

export function sessionOptions(windowBytes: number) {
  return {
    maxSessionMemory: MAX_SESSION_MEMORY_MB,
    maxSendHeaderBlockLength: MAX_HEADER_BYTES,
    settings: { initialWindowSize: windowBytes, maxFrameSize: MAX_FRAME_BYTES, maxHeaderListSize: MAX_HEADER_BYTES },
  };
}
