import { describe, expect, test } from "vitest";

import { DRIVER_README_HEADINGS, manifestProblems } from "./manifest-problems.ts";
import type { Manifest } from "./workspace-packages.ts";

const GOOD: Manifest = {
  name: "@anyrunner/driver-foo",
  version: "0.0.0",
  description: "foo:// runners",
  license: "Apache-2.0",
  type: "module",
  repository: { directory: "packages/driver-foo" },
  engines: { node: ">=22.19" },
  files: ["dist"],
  exports: { ".": "./src/index.ts", "./package.json": "./package.json" },
  publishConfig: { access: "public", exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" }, "./package.json": "./package.json" } },
  driver: { specVersion: 1, schemes: ["foo"] },
};
const README = DRIVER_README_HEADINGS.map((heading) => `## ${heading}\n`).join("");

describe("manifestProblems", () => {
  test("finds nothing in a complete driver", () => {
    expect(manifestProblems({ directory: "packages/driver-foo", manifest: GOOD }, README)).toEqual([]);
  });

  test.each<[string, Partial<Manifest>, RegExp]>([
    ["another licence", { license: "MIT" }, /license/],
    ["another Node", { engines: { node: ">=20" } }, /engines/],
    ["the folder of a copied package", { repository: { directory: "packages/driver-bar" } }, /repository\.directory/],
    ["an export without a twin", { exports: { ...GOOD.exports, "./extra": "./src/extra.ts" } }, /"\.\/extra"/],
    [
      "a published export without a source",
      { publishConfig: { ...GOOD.publishConfig, exports: { ...GOOD.publishConfig?.exports, "./gone": "./dist/gone.js" } } },
      /\.\/gone/,
    ],
    [
      "a twin that points elsewhere",
      { publishConfig: { ...GOOD.publishConfig, exports: { ".": { types: "./dist/main.d.ts", default: "./dist/main.js" } } } },
      /publishConfig/,
    ],
    ["no schemes", { driver: { specVersion: 1, schemes: [] } }, /driver/],
  ])("finds %s", (_name, change, problem) => {
    expect(manifestProblems({ directory: "packages/driver-foo", manifest: { ...GOOD, ...change } }, README).join("\n")).toMatch(problem);
  });

  test("finds a README whose headings are not a driver's", () => {
    expect(manifestProblems({ directory: "packages/driver-foo", manifest: GOOD }, "## Usage\n").join("\n")).toMatch(/headings/);
  });
});
