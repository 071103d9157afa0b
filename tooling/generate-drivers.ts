/** Writes the map of built-in drivers from the "driver" key of each driver's manifest; with --check it only compares. */
import path from "node:path";

import { publishedPackages } from "./workspace-packages.ts";
import { writeOrCheck } from "./write-or-check.ts";

const TARGET = "packages/drivers/src/built-in-drivers.ts";

export function generateDrivers(): string {
  const entries = publishedPackages()
    .filter(({ directory }) => directory.startsWith("packages/driver-"))
    .flatMap(({ directory, manifest }) => {
      const schemes = manifest.driver?.schemes;
      if (schemes === undefined) throw new Error(`${directory}/package.json names no driver.schemes`);
      const name = path.basename(directory).slice("driver-".length);
      return [
        "  {",
        `    name: ${JSON.stringify(name)},`,
        `    package: ${JSON.stringify(manifest.name)},`,
        `    schemes: [${schemes.map((scheme) => JSON.stringify(scheme)).join(", ")}],`,
        `    load: () => import(${JSON.stringify(manifest.name)}),`,
        "  },",
      ];
    });
  return `${HEAD}${entries.join("\n")}\n];\n`;
}

const HEAD = `// Made by tooling/generate-drivers.ts from the "driver" key of each driver's manifest; change it there.

export interface BuiltInDriver {
  readonly name: string;
  readonly package: string;
  readonly schemes: readonly string[];
  /** A literal import, so that bundlers see it. */
  readonly load: () => Promise<unknown>;
}

export const BUILT_IN_DRIVERS: readonly BuiltInDriver[] = [
`;

if (import.meta.main) writeOrCheck(TARGET, generateDrivers());
