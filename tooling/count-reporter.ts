import type { Reporter, SerializedError, TestModule } from "vitest/node";

/** Ends a run with `N passed, N failed, N skipped` alone on a line. What fails outside a test (a file that can't be loaded, an unhandled rejection) counts as failed. */
export function countReporter(): Reporter {
  return {
    onTestRunEnd(modules, unhandledErrors) {
      const { passed, failed, skipped } = countTests(modules, unhandledErrors);
      process.stdout.write(`\n${passed} passed, ${failed} failed, ${skipped} skipped\n`);
    },
  };
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
