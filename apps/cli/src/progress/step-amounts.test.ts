import { expect, test } from "vitest";

import { createStepAmounts } from "./step-amounts.ts";
import { testLog } from "./test-steps.ts";

const record = (spanId: string, item: string, current: number, total: number, unit = "bytes") =>
  testLog(spanId, "", {
    "dagger.io/progress.item": item,
    "dagger.io/progress.current": BigInt(current),
    "dagger.io/progress.total": BigInt(total),
    "dagger.io/progress.unit": unit,
  });

test.each([
  ["the newest word about each item, added up", [record("a", "1", 0, 2048), record("a", "1", 1024, 2048), record("b", "2", 512, 2048)], "1.5 KiB of 4.0 KiB"],
  ["no total where one isn't known", [record("a", "1", 10, 0), record("a", "2", 10, 20)], "20 B"],
  ["objects", [record("a", "1", 10, 20, "objects")], "10 of 20 objects"],
  ["bytes before anything else", [record("a", "1", 10, 20, "objects"), record("a", "2", 1, 2)], "1 B of 2 B"],
  ["an unknown unit as a number alone", [record("a", "1", 1, 2, "\u001b[31m")], "1 of 2"],
  ["nothing of other steps", [record("c", "1", 1, 2)], ""],
])("%s", (_, records, shown) => {
  const amounts = createStepAmounts();
  for (const each of records) expect(amounts.add(each)).toBe(true);
  expect(amounts.read(["a", "b"])).toBe(shown);
});

test("output is no amount", () => {
  expect(createStepAmounts().add(testLog("a", "line\n"))).toBe(false);
});
