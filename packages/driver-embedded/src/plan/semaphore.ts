import { abortedError, throwIfAborted } from "@anyrunner/core/driver";

/** Lets `limit` pieces of work run at a time, first come first served; an aborted one leaves the queue. */
export function createSemaphore(limit: number): <T>(signal: AbortSignal, work: () => Promise<T>) => Promise<T> {
  let free = limit;
  const queue: (() => void)[] = [];
  const enter = async (signal: AbortSignal) => {
    throwIfAborted(signal);
    if (free > 0) {
      free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      const onAbort = () => {
        queue.splice(queue.indexOf(go), 1);
        reject(abortedError(signal));
      };
      signal.addEventListener("abort", onAbort, { once: true });
      queue.push(go);
    });
  };
  const leave = () => {
    const next = queue.shift();
    if (next === undefined) free++;
    else next();
  };
  return async (signal, work) => {
    await enter(signal);
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
