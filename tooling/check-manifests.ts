import { existsSync, readFileSync } from "node:fs";
import path from "node:path";

import { manifestProblems } from "./manifest-problems.ts";
import { publishedPackages, REPOSITORY } from "./workspace-packages.ts";

let count = 0;
for (const workspacePackage of publishedPackages()) {
  const readme = path.join(REPOSITORY, workspacePackage.directory, "README.md");
  for (const problem of manifestProblems(workspacePackage, existsSync(readme) ? readFileSync(readme, "utf8") : undefined)) {
    console.error(`${workspacePackage.directory}: ${problem}`);
    count++;
  }
}
if (count > 0) process.exitCode = 1;
