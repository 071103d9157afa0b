import { createEngineDouble, doubleRunner } from "@anyrunner/testkit";
import { expect, onTestFinished, test, vi } from "vitest";

import { openControlConnection } from "./control-connection.ts";

test("what takes the connection and never speaks is a TIMEOUT that may be tried again", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  onTestFinished(() => void vi.useRealTimers());
  const engine = createEngineDouble({ faults: [{ at: "info", action: "hang" }] });
  const opening = openControlConnection(doubleRunner(engine), {});
  const failure = expect(opening).rejects.toMatchObject({
    code: "TIMEOUT",
    retryable: true,
    message: expect.stringMatching(/no engine answered within 30 s$/),
  });
  while (engine.count("info") === 0) await new Promise((resolve) => setImmediate(resolve));
  vi.advanceTimersByTime(30_000);
  await failure;
  await vi.waitFor(() => expect(engine.streamCount()).toBe(0), { timeout: 60_000 });
});
