import { expect, test } from "vitest";

import { shownTail } from "./program-error.ts";

const secret = "s3cret-0123456789abcdef";
const half = secret.slice(8);

test.each([
  ["a whole secret", `the token is ${secret}\n`, "the token is ***\n"],
  ["lines of which the first was cut in two, in a secret", `${half}, refused; the server says no\n${"x".repeat(4000)}`, "x".repeat(4000)],
  ["one line that was cut in two, in a secret", `${half}${"x".repeat(4000)}`, "x".repeat(4000 - secret.length + half.length)],
])("what is shown of standard error hides %s", (_, said, shown) => {
  expect(shownTail(said, [secret])).toBe(shown);
});

test("without secrets one long line is shown whole", () => {
  expect(shownTail("x".repeat(4096), [])).toBe("x".repeat(4096));
});
