import { expect, test } from "vitest";

import { parseImageReference } from "./image-reference.ts";

test.each([
  ["alpine", "docker.io", "docker.io/library/alpine", "latest", undefined],
  ["alpine:3.20", "docker.io", "docker.io/library/alpine", "3.20", undefined],
  ["bitnami/redis", "docker.io", "docker.io/bitnami/redis", "latest", undefined],
  ["index.docker.io/library/alpine:1", "docker.io", "docker.io/library/alpine", "1", undefined],
  ["localhost/a", "localhost", "localhost/a", "latest", undefined],
  ["registry.example:5000/a/b:c", "registry.example:5000", "registry.example:5000/a/b", "c", undefined],
  ["registry.example:5000/a", "registry.example:5000", "registry.example:5000/a", "latest", undefined],
  ["alpine@sha256:ab", "docker.io", "docker.io/library/alpine", undefined, "sha256:ab"],
  ["alpine:3@sha256:ab", "docker.io", "docker.io/library/alpine", "3", "sha256:ab"],
])("%s", (text, registry, repository, tag, digest) => {
  expect(parseImageReference(text)).toEqual({ registry, repository, tag, digest });
});
