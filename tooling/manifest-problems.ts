import { announcedDrivers } from "./manifest-drivers.ts";
import type { Manifest, WorkspacePackage } from "./workspace-packages.ts";

/** The headings of a driver's README, in their order. */
export const DRIVER_README_HEADINGS = ["Install", "Use", "URL", "Settings", "Requirements", "Not supported", "Troubleshooting"];

/** What is wrong with a published package's manifest and README, one sentence each; empty when all is well. */
export function manifestProblems({ directory, manifest }: WorkspacePackage, readme: string | undefined): readonly string[] {
  const problems: string[] = [];
  const expect = (holds: boolean, problem: string) => {
    if (!holds) problems.push(problem);
  };
  expect((manifest.description ?? "").length > 0, "has no description");
  expect(manifest.license === "Apache-2.0", "license is not Apache-2.0");
  expect(manifest.type === "module", 'type is not "module"');
  expect(manifest.engines?.node === ">=22.19", "engines.node is not >=22.19");
  expect(manifest.repository?.directory === directory, `repository.directory is not ${directory}`);
  expect(manifest.publishConfig?.access === "public", "publishConfig.access is not public");
  expect(manifest.files?.includes("dist") === true, 'files lacks "dist"');
  expect(readme !== undefined, "has no README.md");
  problems.push(...exportProblems(manifest));
  if (directory.startsWith("packages/driver-")) problems.push(...driverProblems({ directory, manifest }, readme ?? ""));
  return problems;
}

/** Development reads `src`, users get `dist`: both lists must name the same entries. */
function exportProblems({ exports = {}, publishConfig }: Manifest): readonly string[] {
  const published = publishConfig?.exports;
  const sources = Object.entries(exports).filter(([, target]) => target.startsWith("./src/"));
  if (sources.length === 0) return [];
  if (published === undefined) return ["exports sources but has no publishConfig.exports"];
  const problems = Object.keys(published)
    .filter((entry) => !Object.hasOwn(exports, entry))
    .map((entry) => `publishConfig.exports has ${entry}, exports has not`);
  for (const [entry, source] of sources) {
    const twin = published[entry];
    const stem = source.replace(/^\.\/src\//, "./dist/").replace(/\.ts$/, "");
    const matches = typeof twin === "object" && twin.types === `${stem}.d.ts` && twin.default === `${stem}.js` && Object.keys(twin)[0] === "types";
    if (!matches) problems.push(`publishConfig.exports["${entry}"] is not { types: "${stem}.d.ts", default: "${stem}.js" }`);
  }
  return problems;
}

function driverProblems(one: WorkspacePackage, readme: string): readonly string[] {
  const problems: string[] = [];
  const drivers = announcedDrivers(one);
  if (drivers.length === 0 || drivers.some(({ specVersion, schemes }) => specVersion !== 1 || schemes.length === 0))
    problems.push('its "driver" key does not say { specVersion: 1, schemes: […] }');
  const headings = [...readme.matchAll(/^## (.+)$/gm)].map((match) => match[1]);
  if (headings.join() !== DRIVER_README_HEADINGS.join()) problems.push(`README headings are not: ${DRIVER_README_HEADINGS.join(", ")}`);
  if (readme.split("\n").length > 120) problems.push("README is longer than 120 lines");
  return problems;
}
