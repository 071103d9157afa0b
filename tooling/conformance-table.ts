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
  /** Day of the run: `2026-11-25`. */
  readonly date: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  /** What was skipped, one sentence each. */
  readonly skips: readonly string[];
}

export function rowOf({ name, driver, against, versions, counts, cases }: ConformanceReport, date: string): ConformanceRow {
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
    date,
    passed: counts.passed,
    failed: counts.failed + counts["not run"],
    skipped: counts.skipped,
    skips,
  };
}

/**
 * A new row replaces the one of the same suite against the same release of the same thing: 20.10 of Docker, 1.20 of Kubernetes. One that only says that nothing
 * could run here doesn't replace one that ran elsewhere.
 */
export function mergeRows(known: readonly ConformanceRow[], found: readonly ConformanceRow[]): readonly ConformanceRow[] {
  let rows = known;
  for (const row of found) {
    if (!hasRun(row) && rows.some(({ name }) => name === row.name)) continue;
    rows = [...rows.filter((one) => one.name !== row.name || (hasRun(one) && releaseOf(one) !== releaseOf(row))), row];
  }
  const place = ({ driver, name, against }: ConformanceRow) => `${driver} ${name} ${against}`;
  return rows.toSorted((a, b) => (place(a) < place(b) ? -1 : 1));
}

function hasRun({ passed, failed }: ConformanceRow): boolean {
  return passed + failed > 0;
}

function releaseOf({ against }: ConformanceRow): string {
  return /^.*?\d+\.\d+/.exec(against)?.[0] ?? against;
}

/** The page: one line a suite, and which schemes no suite has run with. */
export function formatConformanceTable(rows: readonly ConformanceRow[], allSchemes: readonly string[]): string {
  const lines = rows.map((row) => {
    const ran = hasRun(row);
    const schemes = row.schemes.map((scheme) => `\`${scheme}://\``).join(", ");
    const real = row.against !== "double";
    const outcome = ran ? `${row.passed} passed${row.failed > 0 ? `, **${row.failed} failed**` : ""}, ${row.skipped} skipped` : "not run";
    const outcomeOfReal = real ? `${ran ? `${row.against}: ` : ""}${outcome}` : "";
    return [row.name, schemes, real ? "" : outcome, outcomeOfReal, row.skips.join("; "), ran ? row.versions : "", ran ? row.date : ""];
  });
  const ranWith = new Set(rows.filter(({ passed }) => passed > 0).flatMap(({ schemes }) => schemes));
  const missing = allSchemes.filter((scheme) => !ranWith.has(scheme));
  return [
    HEAD,
    markdownTable([["suite", "schemes", "on a double", "on the real thing", "skipped, and why", "with", "on"], ...lines]),
    missing.length === 0
      ? "Every scheme has run."
      : `No suite of its own has run with ${missing.map((scheme) => `\`${scheme}://\``).join(", ")}: another spelling of a scheme above, or one whose suite this record lacks.`,
    "",
  ].join("\n\n");
}

const HEAD = `# Conformance

<!-- Made by tooling/record-conformance.ts from docs/conformance.json. -->

What ran where: the suite of \`@anyrunner/testkit\` against each driver. A real thing is named with its version; a double stands for what can't run on every machine. A row is kept until the same suite runs again against
the same release, so rows may come from different machines. \`node tooling/record-conformance.ts\` runs the suites that this machine can run, and writes this page anew.`;
