import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

import { REPOSITORY } from "./workspace-packages.ts";

/** Writes a generated file; with `--check` on the command line it writes nothing and fails when the file differs. */
export function writeOrCheck(file: string, text: string): void {
  const target = path.join(REPOSITORY, file);
  if (!process.argv.includes("--check")) return writeFileSync(target, text);
  if (existsSync(target) && readFileSync(target, "utf8") === text) return;
  console.error(`${file} is out of date: run pnpm generate`);
  process.exitCode = 1;
}
