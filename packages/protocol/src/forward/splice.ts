import type { Duplex } from "node:stream";

export interface SpliceOptions {
  /** Whether `far` can end its writing side and still be read. Otherwise the end of `near` ends it altogether. */
  readonly halfClose: boolean;
  /** How long a side may stay silent after the other has ended, in ms, before both are given up. Default 30,000. */
  readonly lingerMs?: number | undefined;
}

export interface SpliceEnd {
  readonly bytesToFar: number;
  readonly bytesToNear: number;
  /** What broke it off; undefined when both sides ended in order. */
  readonly error?: Error | undefined;
}

const LINGER_MS = 30_000;

/**
 * Copies bytes between two streams, both ways under back-pressure, until both are over: an end is passed on as an end, a break breaks
 * the other side. Both streams are destroyed when it resolves. Never rejects.
 */
export async function splice(near: Duplex, far: Duplex, { halfClose, lingerMs = LINGER_MS }: SpliceOptions): Promise<SpliceEnd> {
  let failure: Error | undefined;
  let timer: NodeJS.Timeout | undefined;
  const count = { toFar: 0, toNear: 0 };
  const giveUp = (error?: Error) => {
    failure ??= error;
    near.destroy();
    far.destroy();
  };
  const linger = () => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, lingerMs).unref();
  };
  const moved = () => void (timer === undefined || timer.refresh());
  const onNearEnd = () => {
    if (halfClose) linger();
    else giveUp();
  };

  copy(near, far, (bytes) => (count.toFar += bytes), moved);
  copy(far, near, (bytes) => (count.toNear += bytes), moved);
  near.once("end", onNearEnd);
  far.once("end", linger);
  for (const stream of [near, far]) stream.on("error", giveUp);
  await Promise.all([closed(near, () => giveUp()), closed(far, () => giveUp())]);
  clearTimeout(timer);
  return { bytesToFar: count.toFar, bytesToNear: count.toNear, error: failure };
}

function copy(from: Duplex, to: Duplex, add: (bytes: number) => void, moved: () => void): void {
  from.on("data", (chunk: Buffer) => {
    add(chunk.length);
    moved();
    if (!to.write(chunk) && !to.destroyed) from.pause();
  });
  to.on("drain", () => {
    moved();
    from.resume();
  });
  from.once("end", () => to.end());
  // Whoever looked at the first bytes has left it paused.
  from.resume();
}

/** Resolves when `stream` is gone; a stream that closed before it ended takes the other along. */
function closed(stream: Duplex, onBreak: () => void): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      if (!stream.readableEnded || !stream.writableFinished) onBreak();
      resolve();
    };
    if (stream.destroyed) done();
    else stream.once("close", done);
  });
}
