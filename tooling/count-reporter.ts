import type { Reporter, SerializedError, TestCase, TestModule } from "vitest/node";

/**
 * Ends a run with `N passed, N failed, N skipped` alone on a line. What fails outside a test (a file that can't be loaded, an unhandled rejection) counts as failed.
 * A test that passed only when it was tried again counts as passed, and is named with what it said the first time: docs/decisions/0021.
 */
export function countReporter(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const { passed, failed, skipped } = countTests(modules, unhandledErrors);
      const unsteady = modules.flatMap((module) => [...module.children.allTests()]).filter((test) => test.diagnostic()?.flaky);
      for (const test of unsteady) process.stdout.write(`\nunsteady: ${test.module.relativeModuleId} > ${test.fullName}\n${firstError(test)}\n`);
      process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    },
  };
}

function firstError(test: TestCase): string {
  const [error] = test.result().errors ?? [];
  return error?.stack?.split("\n").slice(0, 2).join("\n") ?? error?.message ?? "no error kept";
}

export function countTests(
  modules: readonly Pick<TestModule, "children" | "errors">[],
  unhandledErrors: readonly SerializedError[],
): { readonly passed: number; readonly failed: number; readonly skipped: number } {
  const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
  for (const module of modules) {
    counts.failed += module.errors().length;
    for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    for (const test of module.children.allTests()) {
      const { state } = test.result();
      if (state === "passed") counts.passed++;
      else if (state === "skipped") counts.skipped++;
      else counts.failed++;
    }
  }
  return counts;
}
