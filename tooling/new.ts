import { spawnSync } from "node:child_process";
import path from "node:path";

import { REPOSITORY } from "./workspace-packages.ts";

/** `pnpm new driver NAME`: the package of a driver in this repository, from the templates that `npm create anyrunner-driver` uses elsewhere. */
const [kind, ...args] = process.argv.slice(2);
if (kind !== "driver") {
  console.error("usage: pnpm new driver NAME");
  process.exitCode = 2;
} else {
  const program = path.join(REPOSITORY, "packages", "create-anyrunner-driver", "src", "bin.ts");
  const { status } = spawnSync(process.execPath, [program, "--in-repository", ...args], { cwd: REPOSITORY, stdio: "inherit" });
  process.exitCode = status ?? 1;
}
