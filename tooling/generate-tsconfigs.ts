/** Writes the tsconfig.json of each package, from which `tsc -b` makes declarations; with --check it only compares. */
import { publishedPackages, type WorkspacePackage } from "./workspace-packages.ts";
import { writeOrCheck } from "./write-or-check.ts";

const packages = publishedPackages();
const folders = new Map(packages.map(({ manifest, directory }) => [manifest.name, directory]));
for (const one of packages) {
  if (one.manifest.exports?.["."] !== undefined) writeOrCheck(`${one.directory}/tsconfig.json`, tsconfigOf(one));
}

function tsconfigOf({ manifest }: WorkspacePackage): string {
  const references = Object.keys(manifest.dependencies ?? {})
    .flatMap((name) => folders.get(name) ?? [])
    .toSorted()
    .map((folder) => `{ "path": "../../${folder}" }`);
  return `{\n  "extends": "../../tsconfig.package.json",\n  "references": [${references.join(", ")}]\n}\n`;
}
