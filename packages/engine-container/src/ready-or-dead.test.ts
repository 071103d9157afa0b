import { RunnerError } from "@anyrunner/core";
import { expect, test } from "vitest";

import { readyOrDead, type WatchedContainer } from "./ready-or-dead.ts";

const running = (restarts = 0): WatchedContainer => ({ lives: true, restarts, state: "is running" });
const REFUSED = new RunnerError("COMMAND_FAILED", "can't enter a container that ends");

/** Waits with a `ready` that fails as often as told, and a container whose states come one after the other; the last one stays. */
async function wait(failures: number, states: readonly (WatchedContainer | undefined | Error)[], error: Error = REFUSED) {
  let asked = 0;
  let looks = 0;
  const outcome = await readyOrDead({
    driver: "docker",
    lookMs: 1,
    ready: async () => {
      if (asked++ < failures) throw error;
    },
    look: async () => {
      const state = states[Math.min(looks++, states.length - 1)];
      if (state instanceof Error) throw state;
      return state;
    },
  }).catch((reason: unknown) => reason);
  return { outcome, asked };
}

test("an engine that answers is waited for once", async () => {
  expect(await wait(0, [running()])).toEqual({ outcome: undefined, asked: 1 });
});

test("what is said while the container lives and stays is the answer", async () => {
  expect(await wait(9, [running()])).toEqual({ outcome: REFUSED, asked: 1 });
});

test("what is said while it is restarted is asked again", async () => {
  expect(await wait(2, [running(1), running(1), running(2), running(2)])).toMatchObject({ outcome: undefined, asked: expect.toSatisfy((n: number) => n >= 2) });
});

test.each([
  ["ends", { lives: false, restarts: 0, state: "is not running: it ended with exit code 1" }, "it is not running: it ended with exit code 1"],
  ["keeps being restarted", running(3), "it is running"],
  ["is removed", undefined, "it was removed"],
])("a container that %s is NOT_RUNNING, whatever an attempt says", async (_case, state, message) => {
  const hanging = readyOrDead({ driver: "docker", lookMs: 1, ready: () => new Promise(() => undefined), look: async () => state });
  await expect(hanging).rejects.toMatchObject({ code: "NOT_RUNNING", message });
  if (state !== undefined) expect((await wait(99, [state])).outcome).toMatchObject({ code: "NOT_RUNNING", message });
});

test("a look that fails says nothing, and a wait that was long enough is not begun again", async () => {
  const tooLong = new RunnerError("TIMEOUT", "it did not answer");
  expect(await wait(9, [new Error("busy")])).toEqual({ outcome: REFUSED, asked: 1 });
  expect(await wait(9, [running(1)], tooLong)).toEqual({ outcome: tooLong, asked: 1 });
});

test("cancelled, it is ABORTED", async () => {
  const controller = new AbortController();
  const ready = (signal: AbortSignal) =>
    new Promise<never>((_, reject) => {
      signal.addEventListener("abort", () => reject(new Error("the call was cut")));
    });
  const waiting = readyOrDead({ driver: "docker", ready, look: async () => running(), signal: controller.signal });
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ code: "ABORTED" });
});
