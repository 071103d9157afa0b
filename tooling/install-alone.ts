import { mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { measureFootprint, type Footprint } from "./footprint.ts";
import type { PackedPackage } from "./pack-packages.ts";
import { run } from "./run.ts";

/** Installs each driver, and each of the packages that users begin with, alone into a project below `folder`, and measures it. */
export function installEachAlone(packed: readonly PackedPackage[], folder: string, env: NodeJS.ProcessEnv): readonly Footprint[] {
  const chosen = packed.filter(({ manifest }) => /^@anyrunner\/(driver-|cli$|client$|core$|testkit$)/.test(manifest.name));
  return chosen.map((one) => {
    const project = path.join(folder, path.basename(one.manifest.name));
    mkdirSync(project, { recursive: true });
    writeFileSync(path.join(project, "package.json"), JSON.stringify({ private: true, type: "module" }));
    run("npm", ["install", "--ignore-scripts", `${one.manifest.name}@${one.manifest.version}`], { cwd: project, env });
    return measureFootprint(project, one);
  });
}
