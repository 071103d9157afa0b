import { defineConfig } from "vitest/config";

import { countReporter } from "./tooling/count-reporter.ts";

export default defineConfig({
  test: {
    include: [
      "packages/*/src/**/*.test.ts",
      "packages/create-anyrunner-driver/template/src/**/*.test.ts",
      "apps/*/src/**/*.test.ts",
      "examples/**/*.test.ts",
      "tooling/**/*.test.ts",
    ],
    reporters: ["default", countReporter()],
    setupFiles: ["./tooling/property-seed.ts"],
    // On machines of others a daemon may fail once. What passes then is named at the end: docs/decisions/0021.
    retry: process.env["CI"] ? 1 : 0,
    // Real daemons on a busy machine stand still for seconds at times; what hangs still ends.
    testTimeout: 240_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 60_000 } },
    // Two cores run the whole suite, real daemons included: more workers than that only add noise.
    maxWorkers: 2,
  },
});
