import { expect, test } from "vitest";

import { formatProvenance, type Provenance } from "./provenance.ts";

test.each<[Provenance, string]>([
  [{ kind: "flag", name: "--runner" }, "flag --runner"],
  [{ kind: "option", name: "runner" }, "option runner"],
  [{ kind: "session", name: "DAGGER_SESSION_PORT" }, "the surrounding session (DAGGER_SESSION_PORT)"],
  [{ kind: "environment", name: "ANYRUNNER_RUNNER" }, "variable ANYRUNNER_RUNNER"],
  [{ kind: "project", name: "a/anyrunner.config.yaml" }, "project file a/anyrunner.config.yaml"],
  [{ kind: "user", name: "runner.json" }, "user choice in runner.json"],
  [{ kind: "running", name: "dagger-engine-v0.21.8" }, "engine running already (dagger-engine-v0.21.8)"],
  [{ kind: "default", name: "image://engine" }, "default image://engine"],
])("%j reads as %s", (provenance, text) => {
  expect(formatProvenance(provenance)).toBe(text);
});
