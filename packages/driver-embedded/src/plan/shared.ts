import { abortedError, throwIfAborted } from "@anyrunner/core/driver";

import type { Call, Lazy } from "./call.ts";

/**
 * Work that several callers may ask for: it runs once at a time, its result is kept, a failure is not. A caller that is
 * aborted leaves at once; when the last one has left, the work is aborted, too.
 */
export function shared<T>(work: Lazy<T>): Lazy<T> {
  let kept: { readonly value: T } | undefined;
  let running: Joined<T> | undefined;
  return async (call) => {
    if (kept !== undefined) return kept.value;
    throwIfAborted(call.signal);
    if (running === undefined) {
      const started = startJoined(work, call);
      running = started;
      started.result.then(
        (value) => {
          kept = { value };
          running = undefined;
        },
        () => {
          if (running === started) running = undefined;
        },
      );
    }
    return join(running, call.signal, () => {
      running = undefined;
    });
  };
}

/** The same for keyed work whose results are kept elsewhere: equal keys that are asked for at one time run once. */
export type InFlight<T> = (key: string, call: Call, work: Lazy<T>) => Promise<T>;

export function createInFlight<T>(): InFlight<T> {
  const running = new Map<string, Joined<T>>();
  return (key, call, work) => {
    throwIfAborted(call.signal);
    let joined = running.get(key);
    if (joined === undefined) {
      const started = startJoined(work, call);
      joined = started;
      running.set(key, started);
      const forget = () => {
        if (running.get(key) === started) running.delete(key);
      };
      started.result.then(forget, forget);
    }
    return join(joined, call.signal, () => running.delete(key));
  };
}

interface Joined<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

function startJoined<T>(work: Lazy<T>, call: Call): Joined<T> {
  const controller = new AbortController();
  const result = (async () => work({ ...call, signal: controller.signal }))();
  return { result, controller, waiting: 0 };
}

async function join<T>(joined: Joined<T>, signal: AbortSignal, left: () => void): Promise<T> {
  joined.waiting++;
  let leave = () => {};
  const gone = new Promise<never>((_, reject) => {
    const onAbort = () => {
      // Whoever comes after the last one has left starts anew instead of sharing the abort.
      if (--joined.waiting === 0) {
        left();
        joined.controller.abort(signal.reason);
      }
      reject(abortedError(signal));
    };
    signal.addEventListener("abort", onAbort, { once: true });
    leave = () => signal.removeEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([joined.result, gone]);
  } finally {
    leave();
  }
}
