/** Writes the map of built-in drivers from the "driver" key of each driver's manifest; with --check it only compares. */
import { announcedDrivers, type AnnouncedDriver } from "./manifest-drivers.ts";
import { publishedPackages } from "./workspace-packages.ts";
import { writeOrCheck } from "./write-or-check.ts";

const TARGET = "packages/drivers/src/built-in-drivers.ts";

export function generateDrivers(): string {
  const drivers = publishedPackages()
    .filter(({ directory }) => directory.startsWith("packages/driver-"))
    .flatMap((one) => {
      const announced = announcedDrivers(one).filter(({ schemes }) => schemes.length > 0);
      if (announced.length === 0) throw new Error(`${one.directory}/package.json names no driver.schemes`);
      return announced.map((driver) => ({ ...driver, package: one.manifest.name, version: one.manifest.version }));
    });
  const [onDemand, builtIn] = [true, false].map((wanted) => drivers.filter((driver) => driver.onDemand === wanted).flatMap(entryOf));
  return `${HEAD}${builtIn?.join("\n")}\n];\n\n${ON_DEMAND_HEAD}${onDemand?.join("\n")}\n];\n`;
}

function entryOf(driver: AnnouncedDriver & { readonly package: string; readonly version: string }): readonly string[] {
  return [
    "  {",
    `    name: ${JSON.stringify(driver.name)},`,
    `    package: ${JSON.stringify(driver.package)},`,
    ...(driver.onDemand ? [] : [`    version: ${JSON.stringify(driver.version)},`]),
    `    schemes: [${driver.schemes.map((scheme) => JSON.stringify(scheme)).join(", ")}],`,
    ...(driver.onDemand ? [] : [`    load: () => import(${JSON.stringify(driver.module)}),`]),
    "  },",
  ];
}

const HEAD = `// Made by tooling/generate-drivers.ts from the "driver" key of each driver's manifest; change it there.

export interface BuiltInDriver {
  readonly name: string;
  readonly package: string;
  readonly version: string;
  readonly schemes: readonly string[];
  /** A literal import, so that bundlers see it. */
  readonly load: () => Promise<unknown>;
}

export const BUILT_IN_DRIVERS: readonly BuiltInDriver[] = [
`;

const ON_DEMAND_HEAD = `/** Drivers that are installed on first use: too large to come along. */
export const ON_DEMAND_DRIVERS: readonly Omit<BuiltInDriver, "load" | "version">[] = [
`;

if (import.meta.main) writeOrCheck(TARGET, generateDrivers());
