import { expect, test } from "vitest";
import { createTimeSlice } from "./time-slice.ts";

test("a slice is over after five milliseconds, and a pause begins a new one", async () => {
  let now = 0;
  const slice = createTimeSlice(() => now);
  now = 4;
  expect(slice.isOver()).toBe(false);
  now = 5;
  expect(slice.isOver()).toBe(true);
  await slice.pause();
  expect(slice.isOver()).toBe(false);
  now = 10;
  expect(slice.isOver()).toBe(true);
});
