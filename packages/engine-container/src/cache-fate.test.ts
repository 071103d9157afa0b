import { expect, test } from "vitest";

import { cacheFateOfEnd, cacheLossAtStart } from "./cache-fate.ts";

test("an engine's last words say whether its cache is complete", () => {
  expect(cacheFateOfEnd("e", 'level=info msg="marking dagql cache clean shutdown"')).toMatchObject({ type: "progress", id: "cache-kept-e" });
  expect(cacheFateOfEnd("e", "stopping dagger-engine")).toMatchObject({ type: "warning", id: "cache-unsure-e" });
  expect(cacheFateOfEnd("e", "hello")).toBeUndefined();
});

test.each([
  ["registry.dagger.io/engine:v0.20.8", "progress"],
  ["mirror.example:5000/engine:v0.14.0-gpu", "progress"],
  ["registry.dagger.io/engine:v0.21.0", "warning"],
  ["registry.dagger.io/engine:latest", "warning"],
  ["registry.dagger.io/engine@sha256:00", "warning"],
  [undefined, "warning"],
])("engines before 0.21 end without such words, and keep their cache: %s", (image, type) => {
  expect(cacheFateOfEnd("e", 'level=info msg="stopping server" span=buildkit', image)).toMatchObject({ type });
});

test("its first words say whether it discarded it, and why", () => {
  const log = 'level=warn msg="local cache state invalid; resetting local cache state" reason="dirty shutdown" path=/var/lib/dagger\nmore';
  expect(cacheLossAtStart("e", log)).toMatchObject({ id: "cache-discarded-e", message: expect.stringContaining("at this start: dirty shutdown") });
  expect(cacheLossAtStart("e", "local cache state is fine")).toBeUndefined();
});
