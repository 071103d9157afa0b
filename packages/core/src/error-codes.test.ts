import { expect, test } from "vitest";

import { ERROR_CODES, isErrorCode } from "./error-codes.ts";

test.each(Object.entries(ERROR_CODES))("%s says what it means, why it happens and what to do, in whole sentences", (code, entry) => {
  expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
  for (const text of [entry.summary, entry.cause, entry.remedy]) expect(text).toMatch(/^[A-Z`].{8,}\.$/);
});

test.each([
  ["INVALID_URL", true],
  ["invalid_url", false],
  ["toString", false],
  ["__proto__", false],
  [undefined, false],
  [7, false],
])("isErrorCode(%j) is %s", (value, expected) => {
  expect(isErrorCode(value)).toBe(expected);
});
