import { parseRunnerUrl, withinBudget, type DriverCapability } from "@anyrunner/core";

import { abortCases } from "./abort-cases.ts";
import { beginCase, type CaseScope } from "./case-scope.ts";
import { CAPABILITIES, capabilityCases } from "./capability-cases.ts";
import type { CaseDraft } from "./conformance-case.ts";
import { createConformanceReport, type CaseOutcome, type ConformanceReport } from "./conformance-report.ts";
import { contractCases } from "./contract-cases.ts";
import type { ConformanceTarget, DriverSuite } from "./driver-suite.ts";
import { provisionCases } from "./provision-cases.ts";
import { secretCases } from "./secret-cases.ts";
import { streamCases } from "./stream-cases.ts";
import { createTargetSlot, type TargetSlot } from "./target-slot.ts";
import { urlCases } from "./url-cases.ts";
import { countFailedWaits, testTimeoutMs, waitBudgetMs, withinCaseBudget } from "./within-budget.ts";
import { writeConformanceReport } from "./write-conformance-report.ts";

/** One case of the conformance suite. */
export interface ConformanceCase {
  /** The heading that it belongs under. */
  readonly group: string;
  readonly name: string;
  /** The capability that it belongs to. Without one it is mandatory. */
  readonly capability?: DriverCapability | undefined;
  /** Why it must not be run. */
  readonly skip?: string | undefined;
  /** Rejects, with an error that says what was expected, when the driver fails. Calls are made one after the other, however they are started. */
  run(): Promise<void>;
}

/** The conformance suite of one driver, for any runner of tests. */
export interface DriverCases {
  readonly name: string;
  /** In the order in which they should run: cases of a group share a runner. */
  readonly cases: readonly ConformanceCase[];
  /** How long one case may take at most, in ms: the time limit to give the runner of tests. */
  readonly timeoutMs: number;
  /** What has run so far. */
  report(): Promise<ConformanceReport>;
  /** Removes what cases shared and writes the report, if a folder is given. To be called once, after the last case. */
  close(): Promise<void>;
}

/**
 * The conformance suite of the driver interface, version 1, as a list of cases. Mandatory cases run for every driver and nothing can
 * excuse them; those of a capability run when the driver declares it and are skipped, with a reason, when it doesn't.
 * A key of `unsupported` that names a mandatory case, a capability that is declared, or nothing at all is a TypeError; so is an excuse
 * without a reason.
 *
 * @example
 * import { after, describe, test } from "node:test";
 *
 * const suite = driverCases({ name: "foo", … });
 * describe(suite.name, () => {
 *   for (const { group, name, skip, run } of suite.cases) test(`${group}: ${name}`, { skip, timeout: suite.timeoutMs }, run);
 *   after(() => suite.close());
 * });
 */
export function driverCases(given: DriverSuite): DriverCases {
  const usedSchemes = new Set<string>();
  const suite = { ...given, target: async () => noteScheme(await given.target(), usedSchemes) };
  const slot = createTargetSlot();
  const context = { suite, slot };
  const drafts = [contractCases, urlCases, provisionCases, streamCases, abortCases, secretCases, capabilityCases].flatMap((casesOf) => casesOf(context));
  const { capabilities } = suite.createDriver();
  checkExcuses(suite, drafts, capabilities);

  const outcomes = new Map<CaseDraft, CaseOutcome>();
  let last: Promise<void> = Promise.resolve();
  const cases = drafts.map((draft): ConformanceCase => {
    const { group, name, capability } = draft;
    const skip = skipReason(suite, draft, capabilities);
    if (skip !== undefined) outcomes.set(draft, { state: "skipped", reason: skip });
    const runNow = async () => {
      outcomes.set(draft, { state: "failed", reason: "it did not end" });
      const scope = beginCase(suite);
      try {
        await withinCaseBudget(
          suite,
          slot.enter(group).then(() => draft.run()),
        );
        outcomes.set(draft, { state: "passed" });
        void scope.end(0);
      } catch (error) {
        outcomes.set(draft, { state: "failed", reason: firstLine(error) });
        await cleanUp(suite, slot, scope);
        throw error;
      }
    };
    const run = () => {
      const result = last.then(runNow);
      last = result.catch(() => {});
      return result;
    };
    return { group, name, capability, skip, run };
  });
  const report = () =>
    createConformanceReport(
      suite,
      [...usedSchemes].toSorted(),
      drafts.map((draft) => ({ group: draft.group, name: draft.name, capability: draft.capability, ...(outcomes.get(draft) ?? { state: "not run" }) })),
    );
  return {
    name: suite.name,
    cases,
    timeoutMs: testTimeoutMs(suite),
    report,
    async close() {
      await last;
      await slot.release();
      const folder = suite.reportFolder ?? process.env["ANYRUNNER_CONFORMANCE_REPORT"];
      if (folder) await writeConformanceReport(folder, await report());
    },
  };
}

/** One failure is one failure: what the case left open is closed, and the runner that it shared is not used again. Never rejects. */
async function cleanUp(suite: DriverSuite, slot: TargetSlot, scope: CaseScope): Promise<void> {
  await scope.end(waitBudgetMs(suite, "closed"));
  countFailedWaits(suite, scope);
  await withinBudget(
    waitBudgetMs(suite, "release"),
    slot.renew().catch(() => {}),
  );
}

function noteScheme(far: ConformanceTarget, schemes: Set<string>): ConformanceTarget {
  schemes.add(parseRunnerUrl(far.url).scheme);
  return far;
}

function checkExcuses({ name: suiteName, skip, unsupported = {} }: DriverSuite, drafts: readonly CaseDraft[], capabilities: readonly string[]): void {
  if (skip?.trim() === "") throw new TypeError(`skip of the suite "${suiteName}" has no reason`);
  const refuse = (what: string) => new TypeError(`unsupported of the suite "${suiteName}": ${what}`);
  for (const [key, reason] of Object.entries(unsupported)) {
    if (reason.trim() === "") throw refuse(`"${key}" has no reason`);
    if ((CAPABILITIES as readonly string[]).includes(key)) {
      if (capabilities.includes(key)) throw refuse(`the driver declares "${key}", and what is declared is tested; name single cases`);
      continue;
    }
    const named = drafts.filter(({ name }) => name === key);
    if (named.length === 0) throw refuse(`there is no capability and no case "${key}"`);
    if (named.some(({ capability }) => capability === undefined)) throw refuse(`the case "${key}" is mandatory`);
  }
}

function skipReason({ name, skip, unsupported = {} }: DriverSuite, draft: CaseDraft, capabilities: readonly string[]): string | undefined {
  if (skip !== undefined) return skip;
  const { capability } = draft;
  if (capability === undefined) return undefined;
  const excuse = unsupported[draft.name] ?? unsupported[capability];
  if (excuse !== undefined) return excuse;
  return capabilities.includes(capability) ? undefined : `not declared by ${name}`;
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.split("\n", 1).join().slice(0, 500);
}
