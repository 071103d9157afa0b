import { expect, test } from "vitest";

import { publishedPackages, type Manifest } from "./workspace-packages.ts";

const packages = new Map(publishedPackages().map(({ manifest }) => [manifest.name, manifest]));
const isDriver = (name: string) => name.startsWith("@anyrunner/driver-");
const dependenciesOf = ({ dependencies = {} }: Manifest) => Object.keys(dependencies);
/** Libraries that packages for all drivers use anyway are nobody's own. */
const shared = new Set([...packages.values()].filter(({ name }) => !isDriver(name)).flatMap(dependenciesOf));
const ownLibraries = (manifest: Manifest) => dependenciesOf(manifest).filter((name) => !packages.has(name) && !shared.has(name));

test.each([...packages.keys()].filter(isDriver))("%s pulls no other driver, and the library of none", (name) => {
  const pulled = pulledBy(name);
  const foreign = [...packages.values()]
    .filter((other) => isDriver(other.name) && other.name !== name)
    .flatMap((other) => [other.name, ...ownLibraries(other)]);
  const own = new Set(ownLibraries(packages.get(name) as Manifest));
  expect(foreign.filter((one) => pulled.has(one) && !own.has(one))).toEqual([]);
});

test("there are such libraries", () => {
  expect([...packages.values()].flatMap((manifest) => (isDriver(manifest.name) ? ownLibraries(manifest) : []))).toContain("@kubernetes/client-node");
});

/** All that a package depends on through packages of ours; what libraries pull in turn is theirs. */
function pulledBy(name: string, found = new Set<string>()): ReadonlySet<string> {
  const manifest = packages.get(name);
  if (manifest === undefined) return found;
  for (const dependency of dependenciesOf(manifest)) {
    if (found.has(dependency)) continue;
    found.add(dependency);
    pulledBy(dependency, found);
  }
  return found;
}
