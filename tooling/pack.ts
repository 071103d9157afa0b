import { mkdirSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import path from "node:path";

import { packPackages, withDependencies } from "./pack-packages.ts";
import { REPOSITORY } from "./workspace-packages.ts";

/** What somebody outside the workspace may want to make, and the packages that it is made with. */
const PURPOSES: readonly (readonly [purpose: string, packages: readonly string[]])[] = [
  ["a driver", ["@anyrunner/core", "@anyrunner/exec", "@anyrunner/testkit"]],
  ["a program that connects, on any runner; @dagger.io/dagger for its client", ["@anyrunner/client"]],
  ["a program that opens sessions, with one driver", ["@anyrunner/core", "@anyrunner/engine", "@anyrunner/driver-socket"]],
  ["the command", ["@anyrunner/cli"]],
];

/** Packs every published package into one folder (`tarballs`, or the one that is named) and says how to install them elsewhere. */
const folder = path.resolve(process.env["INIT_CWD"] ?? REPOSITORY, process.argv[2] ?? "tarballs");
mkdirSync(folder, { recursive: true });
const scratch = mkdtempSync(path.join(folder, "packing-"));
const packed = packPackages(scratch).map(({ manifest, tarball }) => {
  const target = path.join(folder, path.basename(tarball));
  renameSync(tarball, target);
  return { manifest, tarball: target };
});
rmSync(scratch, { recursive: true });
console.log(`${packed.length} packages in ${folder}. To install them in a project elsewhere:`);
for (const [purpose, names] of PURPOSES) {
  const files = withDependencies(packed, names).map(({ tarball }) => path.basename(tarball));
  console.log(`\n# ${purpose}\nnpm install ${files.map((file) => path.join(folder, file)).join(" ")}`);
}
