import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 25;
const EQUAL_POLLS = 12;

/** Waits until a number stops changing and gives it: a transfer that back-pressure has stopped shows itself that way only. */
export async function settledValue(read: () => number): Promise<number> {
  let last = read();
  for (let equal = 0; equal < EQUAL_POLLS;) {
    await delay(POLL_MS);
    const now = read();
    equal = now === last ? equal + 1 : 0;
    last = now;
  }
  return last;
}

/** Reads until a value is `wanted`, and gives the last one when `budgetMs` is over. */
export async function valueOnce<T>(read: () => Promise<T>, wanted: (value: T) => boolean, budgetMs: number): Promise<T> {
  const giveUpAt = performance.now() + budgetMs;
  for (;;) {
    const value = await read();
    if (wanted(value) || performance.now() > giveUpAt) return value;
    await delay(POLL_MS);
  }
}
