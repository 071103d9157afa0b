import { defineConfig } from "vitest/config";

import { countReporter } from "./tooling/count-reporter.ts";

/** What users get from a registry: needs `dist` of all packages, and takes minutes. `pnpm run test:registry` builds and runs it. */
export default defineConfig({
  test: {
    include: ["tooling/registry/*.registry-test.ts"],
    globalSetup: ["tooling/registry/publish-all.ts"],
    reporters: ["default", countReporter()],
    testTimeout: 180_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
  },
});
