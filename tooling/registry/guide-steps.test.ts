import { readFileSync } from "node:fs";
import path from "node:path";

import { expect, test } from "vitest";

import { REPOSITORY } from "../workspace-packages.ts";
import { guideSteps } from "./guide-steps.ts";

const page = (text: string) => text.replaceAll("'''", "```");

test("reads what to write, to run and to leave running", () => {
  const text = page(
    "<!-- file: examples/x/src/a.ts -->\n\n'''ts\ncode\n'''\n\n<!-- run, and it fails: left to write -->\n\n'''sh\nnpm test\n'''\n\n<!-- serve -->\n\n'''sh\nserve\n'''\n\n'''js\nnot marked\n'''\n",
  );
  expect(guideSteps(text, "examples/x")).toEqual([
    { kind: "write", file: "src/a.ts", text: "code\n" },
    { kind: "run", text: "npm test\n", fails: "left to write" },
    { kind: "serve", text: "serve\n" },
  ]);
});

test.each([
  ["commands that nobody would run", "'''sh\nnpm test\n'''\n"],
  ["a file of something else", "<!-- file: examples/y/a.ts -->\n\n'''ts\ncode\n'''\n"],
])("refuses %s", (_, text) => {
  expect(() => guideSteps(page(text), "examples/x")).toThrow();
});

test("what the guide's reader leaves as it was made is so in the example", () => {
  const guide = readFileSync(path.join(REPOSITORY, "docs/guide/write-a-driver.md"), "utf8");
  const written = guideSteps(guide, "examples/driver-toy").flatMap((step) => (step.kind === "write" ? [step.file] : []));
  expect(written).toContain("src/driver.ts");
  const template = (file: string) => readFileSync(path.join(REPOSITORY, "packages/create-anyrunner-driver/template", file), "utf8");
  for (const file of ["src/index.ts", "src/driver.ts"]) {
    const made = template(file).replaceAll("Echo", "Toy").replaceAll("ECHO", "TOY").replaceAll("echo", "toy");
    // The formatter sorts what is exported.
    const lines = (text: string) => text.split("\n").toSorted();
    expect(lines(readFileSync(path.join(REPOSITORY, "examples/driver-toy", file), "utf8"))).toEqual(lines(made));
  }
});
