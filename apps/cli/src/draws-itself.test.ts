import { expect, test } from "vitest";

import { drawsItself } from "./draws-itself.ts";

test.each([
  [["dagger", "call", "test"], true],
  [["/usr/local/bin/vim"], true],
  [["C:\\tools\\dagger.exe"], true],
  [["sh", "-c", "dagger call test"], false],
  [["python", "dagger"], false],
  [[], false],
] as const)("%j: %s", (command, expected) => {
  expect(drawsItself(command)).toBe(expected);
});
