import { parseRunnerUrl } from "@anyrunner/core/driver";
import { expect, test } from "vitest";

import type { RuntimeName } from "./runtime.ts";
import { RUNTIMES } from "./runtimes.ts";
import { parseContainerTarget } from "./target.ts";

const parse = (name: RuntimeName, url: string) => parseContainerTarget(RUNTIMES[name], parseRunnerUrl(url));

test.each<[RuntimeName, string, object]>([
  ["podman", "podman-container://my-engine", { kind: "container", container: "my-engine" }],
  ["podman", "container+podman://c0ffee?connection=build", { kind: "container", container: "c0ffee", place: "build" }],
  ["nerdctl", "nerdctl-container://e?namespace=k8s.io", { kind: "container", container: "e", place: "k8s.io" }],
  ["apple", "container://e", { kind: "container", container: "e" }],
  ["podman", "podman-image://example.com/engine:v1?cpus=2", { kind: "image", image: { reference: "example.com/engine:v1", cpus: 2 } }],
  ["finch", "image://example.com/engine@sha256:" + "a".repeat(64), { kind: "image", image: { reference: `example.com/engine@sha256:${"a".repeat(64)}` } }],
  ["nerdctl", "image+nerdctl://engine?namespace=x", { kind: "image", image: { reference: "engine" }, place: "x" }],
])("%s reads %s", (name, url, expected) => {
  expect(parse(name, url)).toMatchObject({ driver: name, url, ...expected });
});

test.each<[RuntimeName, string, string]>([
  ["podman", "podman-container://", "INVALID_URL"],
  ["podman", "podman-container://a/b", "INVALID_URL"],
  ["podman", "podman-container://-rf", "INVALID_URL"],
  ["podman", "podman-image://", "INVALID_URL"],
  ["podman", "podman-image://--privileged", "INVALID_URL"],
  ["podman", "podman-container://a?connection=", "INVALID_OPTION"],
  ["podman", "podman-container://a?cpus=2", "INVALID_OPTION"],
  ["podman", "podman-image://a?namespace=x", "INVALID_OPTION"],
  ["finch", "container+finch://a?connection=x", "INVALID_OPTION"],
  ["apple", "image+apple://a?memory=much", "INVALID_OPTION"],
])("%s refuses %s with %s", (name, url, code) => {
  expect(() => parse(name, url)).toThrow(expect.objectContaining({ code }));
});

test("values of variables show in no text", () => {
  expect(parse("podman", "podman-image://engine?env=TOKEN=s3cret&proxy=http://me:s3cret@p:1").url).not.toContain("s3cret");
});
