import { expect, test } from "vitest";
import { createSecretCache } from "./secret-cache.ts";
import { parseTtl } from "./ttl.ts";

test("a value is kept until its time is over, or for good", async () => {
  let now = 0;
  let loads = 0;
  const cache = createSecretCache<number>(() => now);
  const load = async () => (loads += 1);
  expect(await cache.get("a", 100, load)).toBe(1);
  now = 99;
  expect(await cache.get("a", 100, load)).toBe(1);
  now = 100;
  expect(await cache.get("a", undefined, load)).toBe(2);
  now = 1e9;
  expect(await cache.get("a", 100, load)).toBe(2);
});

test("what fails is not kept; two at once load once", async () => {
  const cache = createSecretCache<string>();
  await expect(cache.get("a", undefined, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  let loads = 0;
  const load = async () => {
    loads += 1;
    await new Promise(setImmediate);
    return "yes";
  };
  expect(await Promise.all([cache.get("a", undefined, load), cache.get("a", undefined, load)])).toEqual(["yes", "yes"]);
  expect(loads).toBe(1);
});

test("the oldest go when there are more than a hundred", async () => {
  const cache = createSecretCache<number>();
  for (let number = 0; number <= 100; number += 1) await cache.get(`${number}`, undefined, async () => number);
  expect(await cache.get("0", undefined, async () => -1)).toBe(-1);
  expect(await cache.get("100", undefined, async () => -1)).toBe(100);
});

test.each([
  [null, undefined],
  [" ", undefined],
  ["0", 0],
  ["90s", 90_000],
  ["1h30m", 5_400_000],
  ["1.5m", 90_000],
  [" 250ms ", 250],
])("ttl %j", (text, ttlMs) => {
  expect(parseTtl(text)).toBe(ttlMs);
});

test.each(["5", "soon", "-1s", "1d"])("ttl %j is none", (text) => {
  expect(() => parseTtl(text)).toThrow(`invalid ttl "${text}"`);
});
