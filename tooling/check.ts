import { spawnSync } from "node:child_process";
import path from "node:path";

import { REPOSITORY } from "./workspace-packages.ts";

/**
 * Everything that CI runs, cheap first. All checks run even when one fails, so that one round shows everything.
 * `--fast` leaves out tests, build and packs.
 */
const FAST: readonly (readonly [name: string, command: string])[] = [
  ["format", "oxfmt --check"],
  ["lint", "oxlint --type-aware --deny-warnings"],
  ["types", "tsc -p tsconfig.json --noEmit"],
  ["boundaries", "depcruise packages apps examples tooling bench"],
  ["unused code and dependencies", "knip --treat-config-hints-as-errors"],
  ["manifests", "node tooling/check-manifests.ts"],
  ["error codes in docs", "node tooling/generate-error-docs.ts --check"],
  ["faults in docs", "node tooling/generate-fault-docs.ts --check"],
  ["schema of driver programs", "node tooling/generate-driver-protocol.ts --check"],
  ["embedded API in docs", "node tooling/generate-embedded-api.ts --check"],
  ["driver map", "node tooling/generate-drivers.ts --check"],
  ["tsconfigs", "node tooling/generate-tsconfigs.ts --check"],
  ["changesets", "node tooling/check-changesets.ts"],
  ["code in docs", "node tooling/generate-snippets.ts --check"],
  ["conformance in docs", "node tooling/record-conformance.ts --check"],
  ["footprint in docs", "node tooling/record-footprint.ts --check"],
  ["links in docs", "node tooling/check-links.ts"],
];
const SLOW: readonly (readonly [name: string, command: string])[] = [
  ["tests", "vitest run"],
  ["build and packs", "./scripts/pnpm run check:packs"],
];

const checks = process.argv.includes("--fast") ? FAST : [...FAST, ...SLOW];
const failed = checks.filter(([name, command]) => !passes(name, command)).map(([name]) => name);
if (failed.length > 0) {
  console.log(`\nfailed: ${failed.join(", ")}`);
  process.exitCode = 1;
}

function passes(name: string, command: string): boolean {
  const start = performance.now();
  const bin = path.join(REPOSITORY, "node_modules", ".bin");
  const { status, stdout, stderr } = spawnSync(command, {
    shell: true,
    cwd: REPOSITORY,
    env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env["PATH"]}`, TURBO_TELEMETRY_DISABLED: "1" },
    encoding: "utf8",
    maxBuffer: 256 * 1024 * 1024,
  });
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${name} (${seconds} s)${status === 0 ? "" : `: ${command}`}`);
  if (status !== 0) process.stdout.write(`${stdout}${stderr}\n`);
  return status === 0;
}
