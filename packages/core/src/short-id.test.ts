import { expect, test } from "vitest";

import { shortId } from "./short-id.ts";

test.each([
  ["3f8a1c09d2b4".repeat(6).slice(0, 64), "3f8a1c09d2b4"],
  ["proc-demo-loopback", "proc-demo-loopback"],
  ["engine.example.com:1234 via proxy:3128", "engine.example.com:1234 via proxy:3128"],
  ["deadbeef", "deadbeef"],
])("%s is %s to people", (id, shown) => {
  expect(shortId(id)).toBe(shown);
});
