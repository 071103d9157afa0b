import { checkDriver, parseRunnerUrl } from "@anyrunner/core";
import { describe, expect, test } from "vitest";

import type { DriverSuite } from "./driver-suite.ts";
import { importInChild, sdkDependencies } from "./import-in-child.ts";

/** The driver as an object, and its package as a module. */
export function testContract(suite: DriverSuite): void {
  describe("contract", () => {
    test("the driver is version 1 and its members agree with its capabilities", () => {
      expect(checkDriver(suite.createDriver(), suite.name)).toBeDefined();
    });

    test("it claims the schemes of its target and of its bad URLs", async () => {
      const { schemes } = suite.createDriver();
      const far = await suite.target();
      try {
        expect(schemes).toContain(parseRunnerUrl(far.url).scheme);
      } finally {
        await far.close();
      }
      for (const url of suite.absentUrls ?? []) expect(schemes).toContain(parseRunnerUrl(url).scheme);
    });

    test("every option has a help text, and a default of its own type", () => {
      const { options } = suite.createDriver();
      expect(new Set(options.map(({ name }) => name)).size).toBe(options.length);
      const typeOf = { string: "string", boolean: "boolean", integer: "number" };
      const broken = options.filter((option) => option.help === "" || (option.default !== undefined && typeof option.default !== typeOf[option.type]));
      expect(broken).toEqual([]);
    });

    test("importing the package exports the driver, prints nothing, keeps nothing open and loads no SDK", async () => {
      const imported = await importInChild(suite.entry);
      expect(imported.driverName).toBe(suite.createDriver().name);
      expect(imported.output).toBe("");
      expect(imported.activeResources).toEqual([]);
      expect(imported.changedEnv).toEqual([]);
      const sdkModules = suite.sdkModules ?? (await sdkDependencies(suite.entry));
      const loaded = sdkModules.filter((name) => imported.modules.some((url) => url.includes(`/node_modules/${name}/`)));
      expect({ loaded }).toEqual({ loaded: [] });
    });
  });
}
