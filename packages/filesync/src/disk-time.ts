const BILLION = 1_000_000_000n;

/**
 * A time for `utimes`, which takes seconds as a double: within 250 ns for today's dates. A number below zero would mean
 * "now" to node, so times before 1970 go as a Date, in milliseconds.
 */
export function diskTime(nanoseconds: bigint): number | Date {
  if (nanoseconds < 0n) return new Date(Number(nanoseconds / 1_000_000n));
  return Number(nanoseconds / BILLION) + Number(nanoseconds % BILLION) / 1e9;
}

/** Whether a file whose time was set by `diskTime` can have been meant to have the other. */
export function isSameDiskTime(a: bigint, b: bigint): boolean {
  const difference = a < b ? b - a : a - b;
  return difference < (a < 0n ? 1_000_000n : 1_000n);
}
