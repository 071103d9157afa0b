import { expect, test } from "vitest";

import { mergeEngineJson } from "./merge-engine-json.ts";

const BASE = { registries: { "docker.io": { mirrors: ["mirror.gcr.io"] } }, logLevel: "info" };

test.each([
  ["what one has is added", { gc: { enabled: true } }, { ...BASE, gc: { enabled: true } }],
  ["one's own values win", { logLevel: "debug" }, { ...BASE, logLevel: "debug" }],
  [
    "the image's mirrors stay behind one's own",
    { registries: { "docker.io": { mirrors: ["mirror.example.com", "mirror.gcr.io"] } } },
    { ...BASE, registries: { "docker.io": { mirrors: ["mirror.example.com", "mirror.gcr.io"] } } },
  ],
  [
    "registries are merged one by one",
    { registries: { "docker.io": { http: true }, "example.com": { mirrors: ["a"] } } },
    { ...BASE, registries: { "docker.io": { mirrors: ["mirror.gcr.io"], http: true }, "example.com": { mirrors: ["a"] } } },
  ],
  ["null removes", { registries: { "docker.io": { mirrors: null } }, logLevel: null }, { registries: { "docker.io": {} } }],
  [
    "other lists are replaced",
    { registries: { "docker.io": { ca: ["/a.crt"] } } },
    { ...BASE, registries: { "docker.io": { mirrors: ["mirror.gcr.io"], ca: ["/a.crt"] } } },
  ],
])("%s", (_what, own, merged) => {
  expect(mergeEngineJson(BASE, own)).toEqual(merged);
});

test("names that mean something to JavaScript are names", () => {
  const own = JSON.parse('{"__proto__": {"polluted": true}}') as Record<string, never>;
  expect(JSON.stringify(mergeEngineJson({}, own))).toBe('{"__proto__":{"polluted":true}}');
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});
