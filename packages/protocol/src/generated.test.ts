import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll, describe, expect, test } from "vitest";

const PACKAGE = fileURLToPath(new URL("../", import.meta.url));
const PROGRAMS = join(PACKAGE, "node_modules", ".bin");

describe("src/gen", () => {
  const made = mkdtempSync(join(tmpdir(), "anyrunner-gen-"));
  afterAll(() => rmSync(made, { recursive: true, force: true }));

  test("is what `pnpm generate` makes of src/proto", () => {
    execFileSync(join(PROGRAMS, "buf"), ["generate", "--output", made], {
      cwd: PACKAGE,
      env: { ...process.env, PATH: [PROGRAMS, process.env["PATH"]].join(delimiter) },
    });
    const committed = join(PACKAGE, "src", "gen");
    const fresh = join(made, "src", "gen");
    expect(readdirSync(fresh)).toEqual(readdirSync(committed));
    for (const file of readdirSync(fresh)) expect(readFileSync(join(fresh, file), "utf8")).toBe(readFileSync(join(committed, file), "utf8"));
  });
});
