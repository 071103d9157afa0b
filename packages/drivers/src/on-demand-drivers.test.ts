import { driver } from "@anyrunner/driver-kubernetes";
import { expect, test } from "vitest";

import { createDefaultRegistry } from "./default-registry.ts";

test("a driver on demand that is installed is taken from there", async () => {
  const registry = createDefaultRegistry({ cwd: "/", env: {} });
  expect(registry.candidates("kube-pod").map(({ origin }) => origin)).toEqual(["@anyrunner/driver-kubernetes"]);
  expect((await registry.driver("kubernetes")).options).toBe(driver.options);
});
