import assert from "node:assert/strict";

import { checkDriver } from "@anyrunner/core";

import type { CaseContext, CaseDraft } from "./conformance-case.ts";
import { importInChild, sdkDependencies } from "./import-in-child.ts";

/** The driver as an object, and its package as a module. */
export function contractCases({ suite }: CaseContext): readonly CaseDraft[] {
  const group = "contract";
  return [
    {
      group,
      name: "the driver is version 1 and its members agree with its capabilities",
      async run() {
        checkDriver(suite.createDriver(), suite.name);
      },
    },
    {
      group,
      name: "it claims the schemes of its target and of its bad URLs",
      async run() {
        const { schemes } = suite.createDriver();
        const far = await suite.target();
        try {
          expectClaimed(schemes, far.url);
        } finally {
          await far.close();
        }
        const bad = suite.badUrls.map((one) => (typeof one === "string" ? one : one.url));
        for (const url of [...bad, ...(suite.absentUrls ?? [])]) expectClaimed(schemes, url);
      },
    },
    {
      group,
      name: "every option has a help text, and a default of its own type",
      async run() {
        const { options } = suite.createDriver();
        assert.equal(new Set(options.map(({ name }) => name)).size, options.length, "two options have the same name");
        const typeOf = { string: "string", boolean: "boolean", integer: "number" };
        const broken = options.filter((option) => option.help === "" || (option.default !== undefined && typeof option.default !== typeOf[option.type]));
        assert.deepEqual(broken, [], "options without help, or with a default of another type");
      },
    },
    {
      group,
      name: "importing the package exports the driver, prints nothing, keeps nothing open and loads no SDK",
      async run() {
        const imported = await importInChild(suite.entry);
        assert.equal(imported.driverName, suite.createDriver().name, 'the name of the export "driver"');
        assert.equal(imported.output, "", "what importing printed");
        assert.deepEqual(imported.activeResources, [], "what importing keeps open");
        assert.deepEqual(imported.changedEnv, [], "environment variables that importing changed");
        const sdkModules = suite.sdkModules ?? (await sdkDependencies(suite.entry));
        const loaded = sdkModules.filter((name) => imported.modules.some((url) => url.includes(`/node_modules/${name}/`)));
        assert.deepEqual(loaded, [], "libraries that importing loaded");
      },
    },
  ];
}

/** A bad URL may be none. */
function expectClaimed(schemes: readonly string[], url: string): void {
  const [scheme = ""] = url.split("://", 1);
  assert.ok(schemes.includes(scheme), `the driver doesn't claim ${scheme}://, only ${schemes.join(", ")}`);
}
