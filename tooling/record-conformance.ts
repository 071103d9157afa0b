import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import type { ConformanceReport } from "@anyrunner/testkit";

import { formatConformanceTable, mergeRows, rowOf, type ConformanceRow } from "./conformance-table.ts";
import { announcedDrivers } from "./manifest-drivers.ts";
import { publishedPackages, REPOSITORY } from "./workspace-packages.ts";
import { writeOrCheck } from "./write-or-check.ts";

/**
 * Runs the conformance suites (those whose paths are given, else all) and records how they went in docs/conformance.json and docs/conformance.md.
 * With `--page` nothing runs: the page is made from its data; with `--check` it is only compared.
 */
const DATA = path.join(REPOSITORY, "docs", "conformance.json");

const pageOnly = process.argv.includes("--check") || process.argv.includes("--page");
const known = existsSync(DATA) ? (JSON.parse(readFileSync(DATA, "utf8")) as readonly ConformanceRow[]) : [];
const rows = pageOnly ? known : mergeRows(known, runSuites().map(rowOf));
if (!pageOnly) writeFileSync(DATA, `${JSON.stringify(rows, undefined, 2)}\n`);
const schemes = publishedPackages().flatMap((one) => announcedDrivers(one).flatMap((driver) => driver.schemes));
writeOrCheck("docs/conformance.md", formatConformanceTable(rows, [...new Set(schemes)]));

function runSuites(): readonly ConformanceReport[] {
  const folder = mkdtempSync(path.join(tmpdir(), "anyrunner-conformance-"));
  try {
    const given = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
    const files = given.length > 0 ? given : suiteFiles();
    const vitest = path.join(REPOSITORY, "node_modules", "vitest", "vitest.mjs");
    const env = { ...process.env, ANYRUNNER_CONFORMANCE_REPORT: folder };
    const { status } = spawnSync(process.execPath, [vitest, "run", ...files], { cwd: REPOSITORY, env, stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
    return globSync("*.json", { cwd: folder }).map((file) => JSON.parse(readFileSync(path.join(folder, file), "utf8")) as ConformanceReport);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
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
