import { expect, test } from "vitest";

import type { EngineImage } from "./engine-image.ts";
import { driftWarning, matchesPlan } from "./match-plan.ts";
import { planEngineContainer } from "./plan-engine-container.ts";

const plan = (image: Partial<EngineImage> = {}, configDigest?: string) =>
  planEngineContainer({ reference: "engine:v1", cleanup: false, env: [], pull: "missing", mounts: [], labels: {}, ...image }, { env: {}, configDigest });

const existing = (...args: Parameters<typeof plan>) => {
  const { labels, env, image } = plan(...args);
  return { labels, env, image };
};

test.each([
  ["the same options", existing({ cpus: 2 }), plan({ cpus: 2 })],
  ["another spelling of the image", existing(), plan({ reference: "docker.io/library/engine:v1" })],
  ["somebody else's container of the image", { labels: {}, image: "engine:v1" }, plan({ cpus: 2 })],
  ["other labels of the user", existing({ labels: { a: "b" } }), plan()],
])("%s match", (_name, container, planned) => {
  expect(matchesPlan(container, planned)).toEqual({ kind: "same" });
});

test.each([
  [existing({ reference: "engine:v2", container: "x" }), "engine:v2"],
  [{ labels: {}, image: "sha256:123" }, "sha256:123"],
])("another image does not", (container, image) => {
  expect(matchesPlan(container, plan({ container: "x" }))).toEqual({ kind: "other-image", image });
});

test.each<[string, ReturnType<typeof existing>, ReturnType<typeof plan>, readonly string[]]>([
  ["cpus", existing({ cpus: 2 }), plan({ cpus: 4 }), ["cpus is 2, not 4"]],
  ["a new option", existing(), plan({ port: { address: "127.0.0.1", port: 1 } }), ["port is not set, not 127.0.0.1:1"]],
  ["an option less", existing({ network: "host" }), plan(), ["network is host, not unset"]],
  [
    "GPUs",
    existing({ gpus: { kind: "count", count: 1 }, container: "x" }),
    plan({ gpus: { kind: "devices", devices: ["0", "1"] }, container: "x" }),
    ["gpus is 1, not 0,1"],
  ],
  ["engine.json", existing({}, "1"), plan({}, "2"), ["engine.json has changed since"]],
  ["values of variables", existing({ env: ["A=pa55", "B=1"] }), plan({ env: ["A=w0rd", "B=1"] }), ["the value of A differs"]],
])("other %s are told", (_name, container, planned, differences) => {
  expect(matchesPlan(container, planned)).toEqual({ kind: "other-options", differences });
});

test("the warning names container and differences", () => {
  expect(driftWarning("e", ["cpus is 2, not 4"])).toMatchObject({
    type: "warning",
    id: "engine-options-e",
    message: 'the engine "e" was made with other options, which stay as they are: cpus is 2, not 4',
  });
});
