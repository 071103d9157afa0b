import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

import type { ConformanceReport } from "@anyrunner/testkit";

import { formatConformanceTable, mergeRows, rowOf, type ConformanceRow } from "./conformance-table.ts";
import { announcedDrivers } from "./manifest-drivers.ts";
import { publishedPackages, REPOSITORY } from "./workspace-packages.ts";
import { writeOrCheck } from "./write-or-check.ts";

/**
 * Runs the conformance suites (those whose paths are given, else all) and records how they went in docs/conformance.json and docs/conformance.md.
 * With `--from FOLDER` none runs: the reports in it, of runs with ANYRUNNER_CONFORMANCE_REPORT, are recorded. With `--page` the page is made from its data; with
 * `--check` it is only compared.
 */
const DATA = path.join(REPOSITORY, "docs", "conformance.json");

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { check: { type: "boolean" }, page: { type: "boolean" }, from: { type: "string" } },
});
const pageOnly = values.check || values.page;
const known = existsSync(DATA) ? (JSON.parse(readFileSync(DATA, "utf8")) as readonly ConformanceRow[]) : [];
const rows = pageOnly ? known : mergeRows(known, foundRows());
if (!pageOnly) writeFileSync(DATA, `${JSON.stringify(rows, undefined, 2)}\n`);
const schemes = publishedPackages().flatMap((one) => announcedDrivers(one).flatMap((driver) => driver.schemes));
writeOrCheck("docs/conformance.md", formatConformanceTable(rows, [...new Set(schemes)]));

function foundRows(): readonly ConformanceRow[] {
  const today = new Date().toISOString().slice(0, 10);
  const reports = values.from === undefined ? runSuites() : readReports(values.from);
  return reports.map((report) => rowOf(report, today));
}

function runSuites(): readonly ConformanceReport[] {
  const folder = mkdtempSync(path.join(tmpdir(), "anyrunner-conformance-"));
  try {
    const files = positionals.length > 0 ? positionals : suiteFiles();
    const vitest = path.join(REPOSITORY, "node_modules", "vitest", "vitest.mjs");
    const env = { ...process.env, ANYRUNNER_CONFORMANCE_REPORT: folder };
    const { status } = spawnSync(process.execPath, [vitest, "run", ...files], { cwd: REPOSITORY, env, stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
    return readReports(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReports(folder: string): readonly ConformanceReport[] {
  return globSync("*.json", { cwd: folder }).map((file) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as ConformanceReport);
}

/** Every test file of a driver or of an example that calls the suite, itself or through a file beside it. */
function suiteFiles(): readonly string[] {
  const files = globSync("{packages/driver-*,examples/*}/**/*.ts", { cwd: REPOSITORY, exclude: ["**/node_modules/**", "**/dist/**"] });
  const calls = files.filter((file) => /^ *testDriver\(/m.test(readFileSync(path.join(REPOSITORY, file), "utf8")));
  return calls.flatMap((file) => {
    if (file.endsWith(".test.ts")) return [file];
    const name = `"./${path.basename(file)}"`;
    return files.filter(
      (other) => other.endsWith(".test.ts") && path.dirname(other) === path.dirname(file) && readFileSync(path.join(REPOSITORY, other), "utf8").includes(name),
    );
  });
}
