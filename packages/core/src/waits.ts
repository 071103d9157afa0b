import { setTimeout as delay } from "node:timers/promises";

import { abortedError, throwIfAborted, type RunnerError } from "./runner-error.ts";

/**
 * Waits for `work`, but no longer than until `signal` is aborted: then it rejects with ABORTED at once. The work itself goes on, for the others
 * who wait for it or until whoever began it ends it; that it fails later is nobody's unhandled rejection.
 */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return work;
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(abortedError(signal));
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    // The first is it when both have settled.
    return await Promise.race([aborted, work]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Waits for `work` at most `budgetMs`, in ms: `undefined` when it has not settled by then. The work goes on, as with `orAborted`. */
export async function withinBudget<T>(budgetMs: number, work: Promise<T>): Promise<T | undefined> {
  const { promise: over, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), budgetMs);
  try {
    return await Promise.race([work, over]);
  } finally {
    clearTimeout(timer);
  }
}

/** A signal for calls that may take `budgetMs`, in ms, and belong to a caller who may cancel: aborted by either. Its timer keeps no process alive. */
export function signalWithin(budgetMs: number, signal: AbortSignal | undefined): AbortSignal {
  const budget = AbortSignal.timeout(budgetMs);
  return signal === undefined ? budget : AbortSignal.any([signal, budget]);
}

/** Waits `ms`, no longer than until `signal` is aborted: then it rejects with ABORTED, and leaves neither a timer nor a listener. */
export async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  throwIfAborted(signal);
  try {
    await delay(ms, undefined, { signal });
  } catch (error) {
    throw signal?.aborted ? abortedError(signal) : error;
  }
}

/** What is done in time, and what it means when it isn't. */
export interface InTimeOptions {
  /** In ms. */
  readonly budgetMs: number;
  readonly signal?: AbortSignal | undefined;
  /** The failure when the budget is over. */
  readonly late: () => RunnerError;
  /** How long the work may take after an abort to clean up, and to say so, in ms. Default 0. */
  readonly graceMs?: number | undefined;
}

/**
 * Does `work` with a signal that is aborted together with the caller's, and when the budget is over. It settles then even if the work doesn't:
 * with ABORTED, or with `late`. Leaves neither a timer nor a listener.
 */
export async function inTime<T>({ budgetMs, signal, late, graceMs = 0 }: InTimeOptions, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(late()), budgetMs);
  const onAbort = () => controller.abort(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    const working = (async () => work(controller.signal))();
    return await orAborted(working, controller.signal).catch(async (error: unknown) => {
      if (!controller.signal.aborted || graceMs === 0) throw error;
      const settled = await withinBudget(
        graceMs,
        working.then((value) => ({ value })),
      );
      if (settled === undefined) throw error;
      return settled.value;
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}
