import fc from "fast-check";
import { RunnerError } from "@anyrunner/core";
import { describe, expect, test } from "vitest";

import { formatImageReference, isSameImage, parseImageReference, type ImageReference } from "./image-reference.ts";

const SHA = `sha256:${"0123456789abcdef".repeat(4)}`;

const GOOD: readonly (readonly [string, ImageReference])[] = [
  ["registry.dagger.io/engine:v0.21.8", { registry: "registry.dagger.io", repository: "engine", tag: "v0.21.8" }],
  [`registry.dagger.io/engine:v0.21.8-gpu@${SHA}`, { registry: "registry.dagger.io", repository: "engine", tag: "v0.21.8-gpu", digest: SHA }],
  ["busybox", { registry: "docker.io", repository: "library/busybox" }],
  ["library/busybox:1", { registry: "docker.io", repository: "library/busybox", tag: "1" }],
  ["index.docker.io/a/b", { registry: "docker.io", repository: "a/b" }],
  ["localhost/engine", { registry: "localhost", repository: "engine" }],
  ["localhost:5000/a/b/c:Tag_1.x", { registry: "localhost:5000", repository: "a/b/c", tag: "Tag_1.x" }],
  ["[::1]:5000/engine", { registry: "[::1]:5000", repository: "engine" }],
  ["MyHost/engine", { registry: "MyHost", repository: "engine" }],
  ["127.0.0.1/a__b--c.d", { registry: "127.0.0.1", repository: "a__b--c.d" }],
];

const BAD: readonly (readonly [string, RegExp])[] = [
  ["", /names no image/],
  [":tag", /names no image/],
  ["Engine", /lower case/],
  ["engine:", /tag is malformed/],
  ["engine:-x", /tag is malformed/],
  [`engine:${"x".repeat(129)}`, /tag is malformed/],
  ["engine@sha256:123", /digest is malformed/],
  ["engine@latest", /digest is malformed/],
  ["a//b", /can't be a part/],
  ["/engine", /can't be a part/],
  ["a/b/", /can't be a part/],
  ["a/-b", /can't be a part/],
  ["a___b", /can't be a part/],
  ["host:port/engine", /no registry/],
  ["-host.example/engine", /no registry/],
  [`host.example/${"a".repeat(250)}`, /longer than 255/],
];

describe("parseImageReference", () => {
  test.each(GOOD)("%s", (text, reference) => {
    expect(parseImageReference(text)).toEqual(reference);
    expect(parseImageReference(formatImageReference(reference))).toEqual(reference);
  });

  test.each(BAD)("%s is refused", (text, message) => {
    const error = caught(text);
    expect(error.code).toBe("INVALID_URL");
    expect(`${error.message} ${error.hint}`).toMatch(message);
  });

  test("a login in front of the image shows in no message", () => {
    expect(JSON.stringify(caught("someone:pa55word@ghcr.io/engine"))).not.toContain("pa55word");
  });

  test("what was formatted is parsed back", () => {
    const component = fc.stringMatching(/^[a-z0-9]{1,8}((\.|_|__|-{1,3})[a-z0-9]{1,8}){0,2}$/);
    const registry = fc.oneof(fc.constant("docker.io"), fc.constant("localhost"), fc.stringMatching(/^[a-z0-9]{1,8}\.[a-z0-9]{1,8}(:[0-9]{1,5})?$/));
    const reference = fc.record(
      {
        registry,
        repository: fc.array(component, { minLength: 2, maxLength: 4 }).map((parts) => parts.join("/")),
        tag: fc.stringMatching(/^\w[\w.-]{0,20}$/),
        digest: fc.stringMatching(/^sha256:[0-9a-f]{64}$/),
      },
      { requiredKeys: ["registry", "repository"] },
    );
    const property = fc.property(reference, (value) => {
      expect(parseImageReference(formatImageReference(value))).toEqual(value);
    });
    fc.assert(property, { numRuns: 200 });
  });

  test("anything else is a typed refusal", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 40 }), (text) => {
        try {
          parseImageReference(text);
        } catch (error) {
          expect(RunnerError.is(error) && error.code === "INVALID_URL").toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});

test.each([
  ["busybox", "docker.io/library/busybox:latest", true],
  ["index.docker.io/library/busybox:latest", "busybox", true],
  ["busybox:1", "busybox:2", false],
  [`busybox:1@${SHA}`, `busybox@${SHA}`, true],
  ["ghcr.io/engine:v1", "registry.dagger.io/engine:v1", false],
  ["sha256:abc", "sha256:abc", true],
  ["sha256:abc", "busybox", false],
])("isSameImage(%s, %s) is %s", (one, other, same) => {
  expect(isSameImage(one, other)).toBe(same);
});

function caught(text: string): RunnerError {
  try {
    parseImageReference(text);
  } catch (error) {
    if (RunnerError.is(error)) return error;
    throw error;
  }
  throw new Error(`${text} was accepted`);
}
