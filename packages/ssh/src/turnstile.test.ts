import { expect, test } from "vitest";

import { createTurnstile } from "./turnstile.ts";

test("never more at a time than there are places; all get through, also past failures and those who left", async () => {
  const pass = createTurnstile(2);
  let inside = 0;
  let most = 0;
  const order: number[] = [];
  const leaver = new AbortController();
  const all = Array.from({ length: 8 }, (_, index) =>
    pass(
      async () => {
        most = Math.max(most, ++inside);
        await Promise.resolve();
        order.push(index);
        inside--;
        if (index === 3) throw new Error("three");
      },
      index === 5 ? leaver.signal : undefined,
    ),
  );
  leaver.abort();
  const outcomes = await Promise.allSettled(all);
  expect(outcomes.map(({ status }) => status === "fulfilled")).toEqual([true, true, true, false, true, false, true, true]);
  expect(outcomes[5]).toMatchObject({ reason: { code: "ABORTED" } });
  expect(order).toEqual([0, 1, 2, 3, 4, 6, 7]);
  expect(most).toBe(2);
  expect(await pass(async () => "free", undefined)).toBe("free");
});
