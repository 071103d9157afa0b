import { globSync, readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { REPOSITORY } from "./workspace-packages.ts";

/** An engine says what it is, and what looks for running engines says where it found them: neither is a driver's work. */
const NOT_OF_DRIVERS = new Set(["ENGINE_PACKAGE", "Sourced"]);

const namesIn = (text: string) => text.split(",").flatMap((part) => /(?:type )?(\w+)/.exec(part.trim())?.[1] ?? []);
const author = new Set(
  [...readFileSync(path.join(REPOSITORY, "packages/core/src/author.ts"), "utf8").matchAll(/^export (?:type )?\{([^}]*)\}/gm)].flatMap(([, names = ""]) =>
    namesIn(names),
  ),
);

test("our own drivers are written with what @anyrunner/core/driver gives, so it is enough for others", () => {
  const files = globSync("packages/driver-*/src/**/*.ts", { cwd: REPOSITORY }).filter((file) => !/(\.test|\.fixture)\.ts$|\/test-[^/]+\.ts$/.test(file));
  const used = files.flatMap((file) => {
    const text = readFileSync(path.join(REPOSITORY, file), "utf8");
    return [...text.matchAll(/import (?:type )?\{([^}]*)\} from "@anyrunner\/core";/g)].flatMap(([, names = ""]) =>
      namesIn(names).map((name) => ({ file, name })),
    );
  });
  expect(used.length).toBeGreaterThan(100);
  expect(used.filter(({ name }) => !author.has(name) && !NOT_OF_DRIVERS.has(name))).toEqual([]);
});
