import { existsSync } from "node:fs";
import path from "node:path";

import { run } from "./run.ts";
import { REPOSITORY } from "./workspace-packages.ts";

/** The path of Node `version`, from npm's package of the plain program; installed into .cache once, no install script runs. */
export function nodeBinary(version: string): string {
  const name = `node-linux-${process.arch}`;
  const folder = path.join(REPOSITORY, ".cache", "node", version);
  const binary = path.join(folder, "node_modules", name, "bin", "node");
  if (!existsSync(binary)) run("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts", "--no-save", `${name}@${version}`]);
  return binary;
}
