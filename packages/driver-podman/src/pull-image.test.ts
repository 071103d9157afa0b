import { expect, test } from "vitest";

import { explainPullFailure } from "./pull-image.ts";
import { RUNTIMES } from "./runtimes.ts";

test.each([
  ["write error: no space left on device", "IMAGE_PULL_FAILED", "make room"],
  ["unauthorized: authentication required", "AUTH_FAILED", "podman login"],
  ["short-name resolution enforced", "IMAGE_PULL_FAILED", "with its registry"],
  ["dial tcp: lookup x: no such host", "IMAGE_PULL_FAILED", "podman load"],
  ["x509: certificate signed by unknown authority", "IMAGE_PULL_FAILED", "certificate authority"],
  ["pinging container registry h:1: http: server gave HTTP response to HTTPS client", "IMAGE_PULL_FAILED", "insecure = true"],
  ["manifest unknown", "IMAGE_PULL_FAILED", "name and tag"],
])("%s", (words, code, hint) => {
  expect(explainPullFailure(words, RUNTIMES.podman)).toMatchObject({ code, hint: expect.stringContaining(hint) });
});
