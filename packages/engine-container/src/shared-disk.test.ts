import { expect, test } from "vitest";

import { shareDisk } from "./shared-disk.ts";

const shared = (config: unknown, engines: number): unknown => {
  const text = shareDisk(config === undefined ? undefined : JSON.stringify(config), engines);
  return text === undefined ? undefined : JSON.parse(text);
};

test("engines on one disk claim together what one does by default, and the image's own settings stay", () => {
  const registries = { "docker.io": { mirrors: ["mirror.gcr.io"] } };
  const limits = { maxUsedSpace: "37%", minFreeSpace: "20%", reservedSpace: 5_000_000_000 };
  expect(shared({ registries }, 2)).toEqual({ registries, gc: limits });
  expect(shared(undefined, 2)).toEqual({ gc: limits });
  expect(shared({}, 100)).toMatchObject({ gc: { maxUsedSpace: "1%" } });
});

test("what was written at an earlier start gives way to what holds now", () => {
  expect(shared(shared({ debug: true }, 2), 3)).toEqual(shared({ debug: true }, 3));
});

test.each([
  ["a single engine", "{}", 1],
  ["limits that somebody wrote", '{"gc":{"enabled":false}}', 3],
  ["what is no JSON object", "[", 3],
])("%s: nothing is written", (_case, text, engines) => {
  expect(shareDisk(text, engines)).toBeUndefined();
});
