import { expect, test } from "vitest";

import { driverWithSecrets } from "./driver-with-secrets.ts";
import type { RunnerDriver } from "./driver.ts";

const secrets = { password: "pa55" };
const target = { driver: "foo", url: "foo://x" };
const handle = { driver: "foo", id: "x", endpoint: {}, owned: false, labels: {} };

function recording(capabilities: RunnerDriver["capabilities"] = []) {
  const seen: unknown[] = [];
  const driver = {
    specVersion: 1,
    name: "foo",
    schemes: ["foo"],
    capabilities,
    options: [],
    parse: () => target,
    probe: async (_: unknown, options: object) => (seen.push(options), { available: true }),
    provision: async (_: unknown, options: object) => (seen.push(options), handle),
    connect: async (_: unknown, options: object) => void seen.push(options),
    ...(capabilities.includes("lifecycle") && {
      start: async (_: unknown, options: object) => void seen.push(options),
      stop: async (_: unknown, options: object) => void seen.push(options),
      destroy: async (_: unknown, options: object) => void seen.push(options),
    }),
  } as unknown as RunnerDriver;
  return { driver, seen };
}

test("each call has the secrets, and its own where it has some; absent members stay absent", async () => {
  const { driver, seen } = recording(["lifecycle"]);
  const filled = driverWithSecrets(driver, secrets);
  await filled.probe(target, {});
  await filled.provision(target, {});
  await filled.connect(handle, {});
  await filled.start?.(handle, {});
  await filled.stop?.(handle, { graceMs: 1 });
  await filled.destroy?.(handle, { secrets: { password: "other" } });
  expect(seen).toEqual([{ secrets }, { secrets }, { secrets }, { secrets }, { secrets, graceMs: 1 }, { secrets: { password: "other" } }]);
  expect([filled.inspect, filled.logs, filled.list]).toEqual([undefined, undefined, undefined]);
});

test("without secrets it is the driver itself", () => {
  const { driver } = recording();
  expect(driverWithSecrets(driver, undefined)).toBe(driver);
});
