import { readFileSync } from "node:fs";
import { join } from "node:path";

import { RunnerError, type DriverEntry } from "@anyrunner/core";
import { describe, expect, test } from "vitest";

import { generateDrivers } from "../../../tooling/generate-drivers.ts";
import { BUILT_IN_DRIVERS } from "./built-in-drivers.ts";
import { createDefaultRegistry } from "./default-registry.ts";
import { isPlanned } from "./planned-drivers.ts";

const registry = createDefaultRegistry({ cwd: "/", env: {} });

test("the map is what the manifests say", () => {
  expect(readFileSync(join(import.meta.dirname, "built-in-drivers.ts"), "utf8")).toBe(generateDrivers());
});

test("every driver is a declared dependency", () => {
  const { dependencies } = JSON.parse(readFileSync(join(import.meta.dirname, "../package.json"), "utf8")) as { dependencies: Record<string, string> };
  expect(Object.keys(dependencies)).toEqual(expect.arrayContaining(BUILT_IN_DRIVERS.map((driver) => driver.package)));
});

test.each(["container", "image"])("%s:// tries the runtimes in the official client's order", (scheme) => {
  expect(registry.candidates(scheme).map(({ name }) => name)).toEqual(["docker", "apple", "podman", "finch", "nerdctl"]);
});

describe.each(registry.entries.filter((entry) => !isPlanned(entry)).map((entry): [string, DriverEntry] => [entry.name, entry]))("driver %s", (_, entry) => {
  test("has the name and the schemes that its manifest announces", async () => {
    const driver = await registry.load(entry);
    expect({ name: driver.name, schemes: driver.schemes.toSorted() }).toEqual({ name: entry.name, schemes: entry.schemes.toSorted() });
  });
});

test.each(registry.entries.filter(isPlanned).flatMap((entry) => entry.schemes))("%s:// says honestly that it is not there yet", async (scheme) => {
  const error: unknown = await registry.resolve({ scheme, body: "x", params: [] }).catch((reason: unknown) => reason);
  expect(RunnerError.is(error) && [error.code, error.message]).toEqual(["UNSUPPORTED", expect.stringContaining("not part of this release")]);
});
