import { describe, expect, test } from "vitest";
import recorded from "../test/fixtures/gitignore.json" with { type: "json" };
import { parseGitignore } from "./gitignore-rule.ts";
import { enterDirectory, isIgnored, NO_RULES, type GitignoreScope } from "./gitignore-scope.ts";

/** Enters every directory of a path, as a walk does; `files` are the `.gitignore` texts by directory. */
function ignored(files: Readonly<Record<string, string>>, path: string): boolean {
  const isDirectory = path.endsWith("/");
  const components = path.replace(/\/$/, "").split("/");
  let scope: GitignoreScope = enterDirectory(NO_RULES, [], files[""]);
  for (let depth = 1; depth < components.length; depth++) {
    const directory = components.slice(0, depth);
    scope = enterDirectory(scope, directory, files[directory.join("/")]);
  }
  return isIgnored(scope, components, isDirectory);
}

describe("gitignore", () => {
  test.each([
    ["*.log", "a.log", true],
    ["*.log", "deep/down/a.log", true],
    ["temp/", "temp/", true],
    ["temp/", "temp", false],
    ["temp/", "temp/inside.txt", true],
    ["/root-only", "root-only", true],
    ["/root-only", "sub/root-only", false],
    ["*.log\n!keep.log", "keep.log", false],
    ["temp/\n!temp/keep", "temp/keep", false],
    ["**/node_modules/", "a/node_modules/b/c.js", true],
    ["# comment\n\n  x  ", "x", true],
    ["x\r\ny", "x", true],
    ["build*/", "build-bar", false],
    ["\ufeff*.log", "a.log", false],
    ["\u0085*.log\u0085", "a.log", true],
  ])("%j and %s: %s", (text, path, expected) => {
    expect(ignored({ "": text }, path)).toBe(expected);
  });

  test("a nested file speaks for its own directory and later", () => {
    const files = { "": "*.log", sub: "!important.log\n/only-here" };
    expect(
      ["root.log", "sub/test.log", "sub/important.log", "important.log", "sub/only-here", "sub/deep/only-here"].map((path) => ignored(files, path)),
    ).toEqual([true, true, false, true, true, false]);
  });

  test.each(recorded.cases.map((entry) => [JSON.stringify(entry.lines), entry] as const))("%s means what it means to go-git", (_, entry) => {
    const found = Object.fromEntries(Object.keys(entry.paths).map((path) => [path, ignored({ "": entry.lines.join("\n") }, path)]));
    expect(found).toEqual(entry.paths);
  });

  test("a pattern that can't be compiled ignores nothing", () => {
    expect(parseGitignore("[").map((rule) => rule.matchesName?.("["))).toEqual([false]);
  });
});
