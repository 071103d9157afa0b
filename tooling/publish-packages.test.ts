import { expect, test } from "vitest";

import type { PackedPackage } from "./pack-packages.ts";
import { inOrder } from "./publish-packages.ts";

const packed = (name: string, ...dependencies: readonly string[]): PackedPackage => ({
  manifest: { name, version: "1.0.0", dependencies: Object.fromEntries(dependencies.map((dependency) => [dependency, "^1.0.0"])) },
  tarball: `/packs/${name}.tgz`,
});

test("what others depend on is published first", () => {
  const order = inOrder([packed("cli", "drivers", "execa"), packed("drivers", "config", "core"), packed("config", "core"), packed("core")]);
  expect(order.map(({ manifest }) => manifest.name)).toEqual(["core", "config", "drivers", "cli"]);
});
