#!/usr/bin/env node
import { relative } from "node:path";

import { createDriver } from "./create-driver.ts";

const USAGE = `usage: npm create anyrunner-driver NAME

Makes the package of a driver in ./anyrunner-driver-NAME; NAME:// is its scheme.
`;

main(process.argv.slice(2));

function main(args: readonly string[]): void {
  const inRepository = args.includes("--in-repository");
  const names = args.filter((argument) => argument !== "--in-repository");
  const [name] = names;
  if (names.includes("--help")) return void process.stdout.write(USAGE);
  if (name === undefined || names.length > 1 || name.startsWith("-")) {
    process.stderr.write(USAGE);
    process.exitCode = 2;
    return;
  }
  try {
    const { directory, packageName } = createDriver({ name, cwd: process.cwd(), inRepository });
    const folder = relative(process.cwd(), directory);
    const next = inRepository ? nextInRepository(packageName) : `  cd ${folder}\n  npm install\n  npm test\n`;
    process.stdout.write(`Made ${packageName} in ${folder}. Next:\n\n${next}\nThe tests are red for what is left to write; each says where.\n`);
  } catch (error) {
    process.stderr.write(`${(error as Error).message}\n`);
    process.exitCode = 1;
  }
}

function nextInRepository(packageName: string): string {
  const folder = packageName.replace("@anyrunner/", "");
  return `  add ${folder} to ARROWS in .dependency-cruiser.mjs, and ${packageName} to the dependencies of packages/drivers
  pnpm install && pnpm generate
  vitest run packages/${folder}
`;
}
