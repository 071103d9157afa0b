import { linkSync } from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { isDirectory } from "./file-mode.ts";
import { compilePatterns, type MatchState } from "./pattern-matcher.ts";
import { makeTestDirectory } from "./test-tree.ts";
import type { TreeEntry } from "./tree-entry.ts";
import { walkTree, type WalkTreeOptions } from "./walk-tree.ts";

async function walk(options: WalkTreeOptions): Promise<TreeEntry[]> {
  return Array.fromAsync(walkTree(options));
}

async function paths(options: WalkTreeOptions): Promise<string[]> {
  return (await walk(options)).map(({ stat }) => (isDirectory(stat.mode) ? `${stat.path}/` : stat.path));
}

describe("filters", () => {
  test("what includes and excludes leave is what the patterns say of each path", async () => {
    const root = makeTestDirectory({ "a/b/foo.txt": "", "a/b/x": "", "a/foo": "", "b/foo.txt": "", "b/a/x": "", "foo.txt": "", "foo/a": "", x: "" });
    const all = await walk({ root });
    const line = fc
      .tuple(fc.boolean(), fc.array(fc.constantFrom("a", "b", "x", "foo", "foo.txt", "*", "**", "*.txt", "?", "[ab]"), { minLength: 1, maxLength: 3 }))
      .map(([negated, components]) => (negated ? "!" : "") + components.join("/"));
    const lines = fc.array(line, { minLength: 1, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(lines, fc.oneof(fc.constant([]), lines), async (include, exclude) => {
        expect((await walk({ root, include, exclude })).map(({ stat }) => stat.path)).toEqual(filterWithoutPruning(all, include, exclude));
      }),
      { numRuns: 200 },
    );
  });

  test("followed paths bring their links and the links' targets along", async () => {
    const root = makeTestDirectory({
      "real/deep/file": "x",
      "real/other": "y",
      aside: "",
      first: { link: "second" },
      second: { link: "/real/deep" },
      up: { link: "../../real/other" },
    });
    expect(await paths({ root, followPaths: ["first/file"] })).toEqual(["first", "real/", "real/deep/", "real/deep/file", "second"]);
    expect(await paths({ root, followPaths: ["up"] })).toEqual(["real/", "real/other", "up"]);
    expect(await paths({ root, followPaths: ["f*"] })).toEqual(["first", "real/", "real/deep/", "real/deep/file", "second"]);
  });

  test("a followed path that leads to the root lifts the filter; a circle ends", async () => {
    const root = makeTestDirectory({ a: "", root: { link: "/" }, x: { link: "y" }, y: { link: "x" } });
    expect(await paths({ root, followPaths: ["root"] })).toEqual(["a", "root", "x", "y"]);
    expect(await paths({ root, followPaths: ["x"] })).toEqual(["x", "y"]);
  });
});

describe("gitignore", () => {
  const tree = {
    ".gitignore": "node_modules/\n*.log\n!keep.log",
    "a.log": "",
    "keep.log": "",
    "node_modules/x.js": "",
    "sub/.gitignore": "!b.log",
    "sub/b.log": "",
    "sub/c.log": "",
  };

  test("marked: everything is listed, and ignored files offer no content", async () => {
    const entries = await walk({ root: makeTestDirectory(tree), gitignore: "mark" });
    expect(entries.filter(({ stat }) => stat.gitIgnored).map(({ stat, file }) => [stat.path, file])).toEqual([
      ["a.log", undefined],
      ["node_modules", undefined],
      ["node_modules/x.js", undefined],
      ["sub/c.log", undefined],
    ]);
    expect(entries).toHaveLength(9);
  });

  test("filtered: ignored entries are left out, their directories not read", async () => {
    const root = makeTestDirectory(tree);
    expect(await paths({ root, gitignore: "filter" })).toEqual([".gitignore", "keep.log", "sub/", "sub/.gitignore", "sub/b.log"]);
  });

  test("filtered: a file taken back brings its ignored directory along", async () => {
    const root = makeTestDirectory({ ".gitignore": "out/\n!out/keep", "out/drop": "", "out/keep": "" });
    expect(await paths({ root, gitignore: "filter" })).toEqual([".gitignore", "out/", "out/keep"]);
  });

  test("a hard link never names an ignored file, which the engine doesn't have", async () => {
    const root = makeTestDirectory({ ".gitignore": "a", a: "x" });
    linkSync(join(root, "a"), join(root, "b"));
    expect((await walk({ root, gitignore: "mark" })).map(({ stat }) => [stat.path, stat.linkname, stat.gitIgnored])).toEqual([
      [".gitignore", "", false],
      ["a", "", true],
      ["b", "", false],
    ]);
  });

  test("a .gitignore that isn't a file says nothing", async () => {
    const root = makeTestDirectory({ ".gitignore/x": "", "sub/.gitignore": { link: "../.gitignore" }, "sub/y": "", "broken/.gitignore": { link: "none" } });
    expect(await paths({ root, gitignore: "filter" })).toEqual([
      ".gitignore/",
      ".gitignore/x",
      "broken/",
      "broken/.gitignore",
      "sub/",
      "sub/.gitignore",
      "sub/y",
    ]);
  });

  test("a .gitignore that is excluded from the listing still counts", async () => {
    const root = makeTestDirectory(tree);
    expect(await paths({ root, exclude: ["**/.gitignore"], gitignore: "filter" })).toEqual(["keep.log", "sub/", "sub/b.log"]);
  });
});

/** The plain meaning of the two lists: every path is judged, whatever stands above it; kept entries bring their parents. */
function filterWithoutPruning(all: readonly TreeEntry[], include: readonly string[], exclude: readonly string[]): string[] {
  const [includes, excludes] = [include, exclude].map((lines) => (lines.length === 0 ? undefined : compilePatterns(lines)));
  const states = new Map<string, { readonly include: MatchState | undefined; readonly exclude: MatchState | undefined }>();
  const kept = new Set<string>();
  for (const { stat } of all) {
    const parent = states.get(stat.path.slice(0, Math.max(0, stat.path.lastIndexOf("/"))));
    const included = includes?.match(stat.path, parent?.include);
    const excluded = excludes?.match(stat.path, parent?.exclude);
    states.set(stat.path, { include: included?.state, exclude: excluded?.state });
    if (included?.matched === false || excluded?.matched) continue;
    for (let path = stat.path; path !== ""; path = path.slice(0, Math.max(0, path.lastIndexOf("/")))) kept.add(path);
  }
  return all.map(({ stat }) => stat.path).filter((path) => kept.has(path));
}
