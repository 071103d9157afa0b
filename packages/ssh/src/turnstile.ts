import { abortedError, throwIfAborted } from "@anyrunner/core";

/** Lets so many through at a time, the rest in their order. */
export type Turnstile = <T>(work: () => Promise<T>, signal: AbortSignal | undefined) => Promise<T>;

export function createTurnstile(places: number): Turnstile {
  let taken = 0;
  const waiting: (() => void)[] = [];

  function enter(signal: AbortSignal | undefined): Promise<void> | undefined {
    throwIfAborted(signal);
    if (taken < places) {
      taken++;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        waiting.splice(waiting.indexOf(admit), 1);
        reject(abortedError(signal as AbortSignal));
      };
      const admit = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      waiting.push(admit);
    });
  }

  return async (work, signal) => {
    await enter(signal);
    try {
      return await work();
    } finally {
      // The place goes to who waits longest, or is free.
      const next = waiting.shift();
      if (next === undefined) taken--;
      else next();
    }
  };
}
