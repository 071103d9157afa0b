import type { ConformanceReport } from "@anyrunner/testkit";

import { markdownTable } from "./markdown-table.ts";

/** What docs/conformance.json remembers of one report. */
export interface ConformanceRow {
  readonly name: string;
  readonly driver: string;
  readonly package: string;
  readonly schemes: readonly string[];
  readonly against: string;
  readonly versions: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What was skipped, one sentence each. */
  readonly skips: readonly string[];
}

export function rowOf({ name, driver, against, versions, counts, cases }: ConformanceReport): ConformanceRow {
  const skipped = cases.filter(({ state }) => state === "skipped");
  const skips = [...Map.groupBy(skipped, ({ reason }) => reason ?? "")].map(([reason, those]) => {
    if (those.length === cases.length) return reason;
    return `${[...new Set(those.map((one) => one.capability ?? one.name))].join(", ")}: ${reason.replace(/ by .*$/, "")}`;
  });
  return {
    name,
    driver: driver.name,
    package: driver.package ?? "",
    schemes: against.schemes.length > 0 ? against.schemes : driver.schemes,
    against: against.kind === "double" ? "double" : (against.version ?? "real"),
    versions: `Node ${versions.node.replace(/^v/, "")}`,
    passed: counts.passed,
    failed: counts.failed + counts["not run"],
    skipped: counts.skipped,
    skips,
  };
}

/** New rows replace those of the same name; one that only says that nothing could run here doesn't replace one that ran elsewhere. */
export function mergeRows(known: readonly ConformanceRow[], found: readonly ConformanceRow[]): readonly ConformanceRow[] {
  const rows = new Map(known.map((row) => [row.name, row]));
  for (const row of found) {
    const ran = row.passed + row.failed > 0;
    if (ran || !rows.has(row.name)) rows.set(row.name, row);
  }
  return [...rows.values()].toSorted((a, b) => (`${a.driver} ${a.name}` < `${b.driver} ${b.name}` ? -1 : 1));
}

/** The page: one line a suite, and which schemes no suite has run with. */
export function formatConformanceTable(rows: readonly ConformanceRow[], allSchemes: readonly string[]): string {
  const lines = rows.map((row) => {
    const ran = row.passed + row.failed > 0;
    const schemes = row.schemes.map((scheme) => `\`${scheme}://\``).join(", ");
    const real = row.against !== "double";
    const outcome = ran ? `${row.passed} passed${row.failed > 0 ? `, **${row.failed} failed**` : ""}, ${row.skipped} skipped` : "not run";
    return [row.name, schemes, real ? "" : outcome, real ? `${ran ? `${row.against}: ` : ""}${outcome}` : "", row.skips.join("; "), ran ? row.versions : ""];
  });
  const ranWith = new Set(rows.filter(({ passed }) => passed > 0).flatMap(({ schemes }) => schemes));
  const missing = allSchemes.filter((scheme) => !ranWith.has(scheme));
  return [
    HEAD,
    markdownTable([["suite", "schemes", "on a double", "on the real thing", "skipped, and why", "with"], ...lines]),
    missing.length === 0
      ? "Every scheme has run."
      : `No suite of its own has run with ${missing.map((scheme) => `\`${scheme}://\``).join(", ")}: another spelling of a scheme above, or one whose suite this record lacks.`,
    "",
  ].join("\n\n");
}

const HEAD = `# Conformance

<!-- Made by tooling/record-conformance.ts from docs/conformance.json. -->

What ran where: the suite of \`@anyrunner/testkit\` against each driver. A real thing is named with its version; a double stands for what can't run on every machine. A row is kept until the same suite runs again,
so rows may come from different machines. \`node tooling/record-conformance.ts\` runs the suites that this machine can run, and writes this page anew.`;
