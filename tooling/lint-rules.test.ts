import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterAll, expect, test } from "vitest";

import { REPOSITORY } from "./workspace-packages.ts";

const folder = mkdtempSync(path.join(tmpdir(), "anyrunner-lint-rules-"));
afterAll(() => rmSync(folder, { recursive: true }));

test("the rules that matter catch what they are there for", () => {
  writeFileSync(path.join(folder, "tsconfig.json"), JSON.stringify({ extends: path.join(REPOSITORY, "tsconfig.base.json"), compilerOptions: { types: [] } }));
  writeFileSync(
    path.join(folder, "seeded.ts"),
    `import { RunnerError } from "@anyrunner/core";
import { other } from "./other.ts";

export default async function work(): Promise<number> {
  return other;
}
export function floats(): void {
  work();
  [1].forEach(async () => {
    await work();
  });
}
export async function tries(): Promise<number> {
  try {
    return work();
  } catch {
    return 0;
  }
}
export function misses(value: "x" | "y"): number {
  switch (value) {
    case "x":
      return 1;
  }
  return 2;
}
export const isOurs = (error: unknown) => error instanceof RunnerError;
`,
  );
  writeFileSync(path.join(folder, "other.ts"), `import { floats } from "./seeded.ts";\nexport const other = floats.length;\n`);
  const { stdout } = spawnSync("oxlint", ["--config", path.join(REPOSITORY, ".oxlintrc.json"), "--type-aware", "--format", "json", folder], {
    cwd: REPOSITORY,
    encoding: "utf8",
    env: { ...process.env, PATH: `${path.join(REPOSITORY, "node_modules", ".bin")}${path.delimiter}${process.env["PATH"]}` },
  });
  const { diagnostics } = JSON.parse(stdout) as { readonly diagnostics: readonly { readonly code: string }[] };
  expect([...new Set(diagnostics.map(({ code }) => code))].toSorted()).toEqual([
    "anyrunner(no-instanceof-runner-error)",
    "import(no-cycle)",
    "import(no-default-export)",
    "typescript(no-floating-promises)",
    "typescript(no-misused-promises)",
    "typescript(return-await)",
    "typescript(switch-exhaustiveness-check)",
  ]);
});
