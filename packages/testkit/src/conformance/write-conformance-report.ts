import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { CAPABILITIES } from "./capability-cases.ts";
import type { CaseOutcome, ConformanceReport } from "./conformance-report.ts";

/** Writes `NAME.json` and `NAME.md` into `folder`, each in one step: readers see the old file or the new one. */
export async function writeConformanceReport(folder: string, report: ConformanceReport): Promise<void> {
  await mkdir(folder, { recursive: true });
  const base = join(folder, fileName(report.name));
  await writeInOneStep(`${base}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  await writeInOneStep(`${base}.md`, formatConformanceReport(report));
}

/** `foo 0.3.1 (anyrunner-driver-foo 1.2.3), interface version 1` */
function describeDriver({ name, ownVersion, package: from, version = "", specVersion }: ConformanceReport["driver"]): string {
  const own = ownVersion === undefined ? name : `${name} ${ownVersion}`;
  return `${own}${from === undefined ? "" : ` (${from} ${version})`}, interface version ${specVersion}`;
}

/** The report as Markdown: what ran against what, the capabilities, and each case. */
export function formatConformanceReport({ name, driver, against, versions, counts, cases }: ConformanceReport): string {
  const facts = [
    ["driver", describeDriver(driver)],
    ["schemes", driver.schemes.map((scheme) => `\`${scheme}://\``).join(", ")],
    ["ran against", against.kind === "double" ? "a double" : (against.version ?? "the real thing, not reached")],
    ["versions", `core ${versions.core ?? "unknown"}, testkit ${versions.testkit ?? "unknown"}, Node ${versions.node}`],
    [
      "cases",
      Object.entries(counts)
        .map(([state, count]) => `${count} ${state}`)
        .join(", "),
    ],
  ];
  const capabilities = CAPABILITIES.map((capability) => {
    const own = cases.filter((one) => one.capability === capability);
    return [capability, driver.capabilities.includes(capability) ? "declared" : "not declared", summary(own)];
  });
  const lines = cases.map((one) => [one.group, one.name, one.capability === undefined ? "mandatory" : "by capability", one.state, one.reason ?? ""]);
  return [
    `# Conformance: ${name}`,
    table(["", ""], facts),
    "## Capabilities",
    table(["capability", "", "cases"], capabilities),
    "## Cases",
    table(["group", "case", "", "outcome", "reason"], lines),
    "",
  ].join("\n\n");
}

function summary(cases: readonly CaseOutcome[]): string {
  const reasons = new Set(cases.map(({ state, reason }) => (state === "skipped" ? `skipped: ${reason ?? ""}` : state)));
  return [...reasons].join("; ");
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll("|", "\\|").replaceAll("\n", " ")).join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n");
}

function fileName(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")
      .replace(/^-|-$/g, "") || "driver"
  );
}

async function writeInOneStep(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}.tmp`;
  try {
    await writeFile(temporary, text, { flag: "wx" });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
