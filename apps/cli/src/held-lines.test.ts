import { expect, test } from "vitest";

import { createHeldLines } from "./held-lines.ts";

test("lines wait while they are held, and come in order then; of very many the last", () => {
  const written: string[] = [];
  const lines = createHeldLines((line) => written.push(line));
  lines.write("before");
  const release = lines.hold();
  for (let number = 0; number < 1500; number += 1) lines.write(`${number}`);
  expect(written).toEqual(["before"]);
  release();
  lines.write("after");
  expect([written.length, written[1], written.at(-1)]).toEqual([1002, "500", "after"]);
});
