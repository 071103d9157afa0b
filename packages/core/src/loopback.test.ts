import { expect, test } from "vitest";

import { isLoopback } from "./loopback.ts";

test.each(["localhost", "127.0.0.1", "127.255.0.9", "::1"])("%s stays on this machine", (host) => {
  expect(isLoopback(host)).toBe(true);
});

test.each(["0.0.0.0", "::", "10.0.0.1", "127.0.0.1.example", "127.999.0.1", "localhost.example", "1127.0.0.1", "::2", ""])("%s does not", (host) => {
  expect(isLoopback(host)).toBe(false);
});
