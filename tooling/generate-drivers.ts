/** Writes the map of built-in drivers from the "driver" key of each driver's manifest; with --check it only compares. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const TARGET = join(ROOT, "packages/drivers/src/built-in-drivers.ts");

interface Manifest {
  readonly name: string;
  readonly driver?: { readonly specVersion: number; readonly schemes: readonly string[]; readonly name?: string };
}

export function generateDrivers(): string {
  const entries = readdirSync(join(ROOT, "packages"))
    .filter((folder) => folder.startsWith("driver-"))
    .toSorted()
    .flatMap((folder) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, "packages", folder, "package.json"), "utf8")) as Manifest;
      if (manifest.driver === undefined) throw new Error(`packages/${folder}/package.json has no "driver" key`);
      const { name = folder.slice("driver-".length), schemes } = manifest.driver;
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

if (import.meta.main) {
  const text = generateDrivers();
  if (!process.argv.includes("--check")) {
    writeFileSync(TARGET, text);
  } else if (readFileSync(TARGET, "utf8") !== text) {
    console.error("packages/drivers/src/built-in-drivers.ts is out of date: run node tooling/generate-drivers.ts");
    process.exitCode = 1;
  }
}
