import { lstatSync, readdirSync, statSync } from "node:fs";
import path from "node:path";

import { markdownTable } from "./markdown-table.ts";
import type { PackedPackage } from "./pack-packages.ts";
import { run } from "./run.ts";

/** What `npm install` of one package puts into an empty project, and what importing it costs. */
export interface Footprint {
  readonly package: string;
  /** With itself. */
  readonly packages: number;
  readonly megabytes: number;
  /** Median of some fresh processes of this machine, in ms; absent for a program, which nobody imports. */
  readonly importMs?: number;
  /** Direct dependencies that are not ours. */
  readonly libraries: readonly string[];
}

export interface TarballSize {
  readonly package: string;
  readonly kilobytes: number;
}

export interface FootprintRecord {
  readonly node: string;
  readonly installed: readonly Footprint[];
  readonly tarballs: readonly TarballSize[];
}

const IMPORTS = 7;
/** Libraries publish new versions on their own, and every change of ours moves a tarball a little. */
const TOLERANCE = 0.15;
const SLACK_KILOBYTES = 5;
const SLACK_MEGABYTES = 0.5;

/** Measures `project`, into which one package was installed. */
export function measureFootprint(project: string, { manifest }: PackedPackage): Footprint {
  const modules = path.join(project, "node_modules");
  const importable = manifest.exports?.["."] !== undefined;
  return {
    package: manifest.name,
    packages: installedPackages(modules).length,
    megabytes: round(bytesBelow(modules) / 1024 / 1024, 1),
    ...(importable ? { importMs: Math.round(importTime(project, manifest.name)) } : {}),
    libraries: Object.keys(manifest.dependencies ?? {}).filter((name) => !name.startsWith("@anyrunner/")),
  };
}

export function tarballSize({ manifest, tarball }: PackedPackage): TarballSize {
  return { package: manifest.name, kilobytes: Math.ceil(statSync(tarball).size / 1024) };
}

/** Where what was measured is not what is recorded, one sentence each. Times belong to a machine, and aren't compared. */
export function footprintChanges(recorded: FootprintRecord, found: Pick<FootprintRecord, "installed" | "tarballs">): readonly string[] {
  const changes: string[] = [];
  const compare = (name: string, unit: string, slack: number, before: number | undefined, after: number) => {
    if (before === undefined) changes.push(`${name} is not recorded`);
    else if (Math.abs(after - before) > Math.max(slack, before * TOLERANCE)) changes.push(`${name}: ${after} ${unit}, recorded are ${before}`);
  };
  for (const one of found.installed) {
    const before = recorded.installed.find((other) => other.package === one.package);
    compare(one.package, "packages", 1, before?.packages, one.packages);
    compare(one.package, "MB installed", SLACK_MEGABYTES, before?.megabytes, one.megabytes);
  }
  for (const one of found.tarballs) {
    compare(one.package, "KB packed", SLACK_KILOBYTES, recorded.tarballs.find((other) => other.package === one.package)?.kilobytes, one.kilobytes);
  }
  return changes;
}

export function formatFootprint({ node, installed, tarballs }: FootprintRecord): string {
  const rows = installed.map((one) => [
    `\`${one.package}\``,
    String(one.packages),
    one.megabytes.toFixed(1),
    one.importMs === undefined ? "" : String(one.importMs),
    one.libraries.map((name) => `\`${name}\``).join(", "),
  ]);
  return [
    HEAD,
    markdownTable([["`npm install`", "packages", "MB", "import, ms", "libraries of its own"], ...rows]),
    `Import: a fresh Node ${node}, median of ${IMPORTS}. No driver pulls the library of another: a test walks what each of them depends on.`,
    "## Tarballs",
    markdownTable([["package", "KB"], ...tarballs.map((one) => [`\`${one.package}\``, String(one.kilobytes)])]),
    "",
  ].join("\n\n");
}

const HEAD = `# What an installation pulls

<!-- Made by tooling/record-footprint.ts from docs/footprint.json. -->

Each package installed alone into an empty project, from the tarballs that a release would publish. \`pnpm test:registry\` fails when one differs from this record by more than 15 %; \`pnpm record:footprint\` measures anew.`;

function installedPackages(modules: string): readonly string[] {
  return readdirSync(modules)
    .filter((name) => !name.startsWith("."))
    .flatMap((name) =>
      name.startsWith("@") ? readdirSync(path.join(modules, name)).map((part) => path.join(modules, name, part)) : [path.join(modules, name)],
    )
    .flatMap((folder) => {
      const nested = path.join(folder, "node_modules");
      return [folder, ...(statSync(nested, { throwIfNoEntry: false }) === undefined ? [] : installedPackages(nested))];
    });
}

function bytesBelow(folder: string): number {
  return readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) => sum + (entry.isFile() ? lstatSync(path.join(entry.parentPath, entry.name)).size : 0),
    0,
  );
}

function importTime(project: string, name: string): number {
  const program = `const start = performance.now(); await import(${JSON.stringify(name)}); console.log(performance.now() - start); process.exit(0);`;
  const times = Array.from({ length: IMPORTS }, () => Number(run(process.execPath, ["--input-type=module", "--eval", program], { cwd: project })));
  return times.toSorted((a, b) => a - b)[Math.floor(IMPORTS / 2)] ?? 0;
}

function round(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
