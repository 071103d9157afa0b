import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import type { DriverCapability } from "@anyrunner/core";

import type { DriverSuite } from "./driver-suite.ts";

/** How one case went. */
export interface CaseOutcome {
  readonly state: "passed" | "failed" | "skipped" | "not run";
  /** Why it was skipped, or the first line of the failure. */
  readonly reason?: string | undefined;
}

/** How one case went, and which that was. */
export interface ReportedCase extends CaseOutcome {
  readonly group: string;
  readonly name: string;
  readonly capability?: DriverCapability | undefined;
}

/** What the conformance suite found of one driver. Two runs that went alike give the same text: it holds no times. */
export interface ConformanceReport {
  readonly format: 1;
  readonly name: string;
  readonly driver: {
    readonly name: string;
    /** As the driver itself says. */
    readonly ownVersion?: string | undefined;
    /** Name and version of the package that holds it; absent where there is none. */
    readonly package?: string | undefined;
    readonly version?: string | undefined;
    readonly specVersion: number;
    readonly schemes: readonly string[];
    readonly capabilities: readonly DriverCapability[];
  };
  /** What its runners were: a double, or the real thing with its version; and the schemes by which they were reached. */
  readonly against: { readonly kind: "double" | "real"; readonly version?: string | undefined; readonly schemes: readonly string[] };
  readonly versions: { readonly core?: string | undefined; readonly testkit?: string | undefined; readonly node: string };
  readonly counts: Readonly<Record<CaseOutcome["state"], number>>;
  readonly cases: readonly ReportedCase[];
}

export async function createConformanceReport(suite: DriverSuite, usedSchemes: readonly string[], cases: readonly ReportedCase[]): Promise<ConformanceReport> {
  const { name, version: ownVersion, specVersion, schemes, capabilities } = suite.createDriver();
  const manifest = await manifestAround(suite.entry);
  const realVersion = suite.skip === undefined ? await suite.realVersion?.() : undefined;
  const count = (state: CaseOutcome["state"]) => cases.filter((one) => one.state === state).length;
  return {
    format: 1,
    name: suite.name,
    driver: { name, ownVersion, package: manifest?.name, version: manifest?.version, specVersion, schemes, capabilities },
    against: suite.realVersion === undefined ? { kind: "double", schemes: usedSchemes } : { kind: "real", version: realVersion, schemes: usedSchemes },
    versions: { core: versionOf("@anyrunner/core", suite.entry), testkit: (await manifestAround(import.meta.url))?.version, node: process.version },
    counts: { passed: count("passed"), failed: count("failed"), skipped: count("skipped"), "not run": count("not run") },
    cases,
  };
}

/** The manifest of the package that holds the module `url`. */
async function manifestAround(url: string): Promise<{ readonly name?: string; readonly version?: string } | undefined> {
  for (let directory = dirname(fileURLToPath(url)); ; directory = dirname(directory)) {
    const text = await readFile(join(directory, "package.json"), "utf8").catch(() => undefined);
    if (text !== undefined) return JSON.parse(text) as { readonly name?: string; readonly version?: string };
    if (dirname(directory) === directory) return undefined;
  }
}

/** The version of `packageName` that the module `from` gets. */
function versionOf(packageName: string, from: string): string | undefined {
  try {
    return (createRequire(from)(`${packageName}/package.json`) as { readonly version?: string }).version;
  } catch {
    return undefined;
  }
}
