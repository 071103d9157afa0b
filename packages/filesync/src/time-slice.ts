import { setImmediate } from "node:timers/promises";

const SLICE_MS = 5;

/**
 * Lets synchronous work run in short pieces: `pause` gives way to the event loop once a slice is used up, so that
 * health checks and other streams are answered during a walk over a large tree.
 */
export interface TimeSlice {
  isOver(): boolean;
  pause(): Promise<void>;
}

export function createTimeSlice(now: () => number = performance.now.bind(performance)): TimeSlice {
  let end = now() + SLICE_MS;
  return {
    isOver: () => now() >= end,
    async pause() {
      await setImmediate();
      end = now() + SLICE_MS;
    },
  };
}
