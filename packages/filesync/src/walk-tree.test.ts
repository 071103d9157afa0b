import { spawnSync } from "node:child_process";
import { chmodSync, linkSync, mkdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { localDisk, type Disk } from "./disk.ts";
import { isDirectory, MODE } from "./file-mode.ts";
import { bytesOfName } from "./file-name.ts";
import { comparePaths } from "./path-order.ts";
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

/** Counts which directories are read. */
function countingDisk(): { readonly disk: Disk; readonly read: string[]; readonly touched: string[] } {
  const read: string[] = [];
  const touched: string[] = [];
  const disk: Disk = {
    ...localDisk,
    readDirectory(path) {
      read.push(path);
      return localDisk.readDirectory(path);
    },
    lstat(path) {
      touched.push(path);
      return localDisk.lstat(path);
    },
  };
  return { disk, read, touched };
}

describe("the order of a walk", () => {
  test("a directory comes before its children, and its children before what sorts behind it", async () => {
    const root = makeTestDirectory({ "a/b": "", "a-b": "", "a.txt": "", a0: "", B: "", é: "" });
    expect(await paths({ root })).toEqual(["B", "a/", "a/b", "a-b", "a.txt", "a0", "é"]);
  });

  test("names are sorted by their bytes, not by UTF-16", async () => {
    const root = makeTestDirectory({ "\uffee": "", "😀": "", z: "" });
    expect(await paths({ root })).toEqual(["z", "\uffee", "😀"]);
  });

  test("the order of paths agrees with that of their bytes, a slash being lowest", () => {
    const text = fc.string({ unit: fc.constantFrom("a", "b", "/", "-", "é", "😀", "\uffee"), maxLength: 6 });
    const bytes = (path: string) => Buffer.from(path.replaceAll("/", "\0"));
    fc.assert(
      fc.property(text, text, (a, b) => {
        expect(Math.sign(comparePaths(a, b))).toBe(Buffer.compare(bytes(a), bytes(b)));
      }),
    );
  });
});

describe("what a walk says of an entry", () => {
  test("a file: size, mode and time to the nanosecond; no owner", async () => {
    const root = makeTestDirectory({ "run.sh": "#!/bin/sh\n" });
    chmodSync(join(root, "run.sh"), 0o751);
    spawnSync("touch", ["-d", "2023-11-14T22:13:20.123456789Z", join(root, "run.sh")]);
    const [entry] = await walk({ root });
    expect(entry).toEqual({
      file: join(root, "run.sh"),
      stat: expect.objectContaining({
        path: "run.sh",
        mode: 0o751,
        size: 10,
        uid: 0,
        gid: 0,
        linkname: "",
        modTimeNs: 1_700_000_000_123_456_789n,
        gitIgnored: false,
      }),
    });
  });

  test("a directory has no size, a symbolic link that of its target", async () => {
    const root = makeTestDirectory({ d: null, l: { link: "some/target" } });
    expect((await walk({ root })).map(({ stat }) => [stat.path, stat.size, stat.linkname])).toEqual([
      ["d", 0, ""],
      ["l", 11, "some/target"],
    ]);
  });

  test("the first path of an inode has the content, later ones name it", async () => {
    const root = makeTestDirectory({ "a/one": "x", c: "y" });
    linkSync(join(root, "a/one"), join(root, "b"));
    linkSync(join(root, "a/one"), join(root, "z"));
    expect((await walk({ root })).map(({ stat }) => [stat.path, stat.linkname, stat.size])).toEqual([
      ["a", "", 0],
      ["a/one", "", 1],
      ["b", "a/one", 1],
      ["c", "", 1],
      ["z", "a/one", 1],
    ]);
  });

  test("when a filter drops the first path, the next one takes its role", async () => {
    const root = makeTestDirectory({ a: "x" });
    linkSync(join(root, "a"), join(root, "b"));
    linkSync(join(root, "a"), join(root, "c"));
    expect((await walk({ root, exclude: ["a"] })).map(({ stat }) => [stat.path, stat.linkname])).toEqual([
      ["b", ""],
      ["c", "b"],
    ]);
  });

  test("a socket looks like an empty file, a pipe like a pipe", async () => {
    const root = makeTestDirectory();
    const server = createServer().listen(join(root, "socket"));
    onTestFinished(() => void server.close());
    await new Promise((resolve) => server.once("listening", resolve));
    expect(spawnSync("mkfifo", ["-m", "600", join(root, "pipe")]).status).toBe(0);
    const entries = await walk({ root });
    expect(entries.map(({ stat }) => [stat.path, (stat.mode & ~0o777) >>> 0])).toEqual([
      ["pipe", MODE.NAMED_PIPE],
      ["socket", 0],
    ]);
  });
});

describe("what a walk reads", () => {
  test("a sync of the parents touches only the chain down to the target", async () => {
    const root = makeTestDirectory({ "home/x/deep/file": "", "home/y/file": "", "usr/lib/file": "", "etc/passwd": "" });
    const { disk, read, touched } = countingDisk();
    expect(await paths({ root, include: ["home/x"], exclude: ["home/x/*"], disk })).toEqual(["home/", "home/x/"]);
    // The target itself is read, since its children are excluded one by one; nothing beside the chain is.
    expect(read.map((path) => path.slice(root.length))).toEqual(["", "/home", "/home/x"]);
    expect(touched.map((path) => path.slice(root.length))).toEqual(["/home/x", "/home"]);
  });

  test("an excluded directory is not read, unless something in it is taken back", async () => {
    const root = makeTestDirectory({ "node_modules/a/b.js": "", "node_modules/keep/c.js": "", "src/d.js": "" });
    const { disk, read } = countingDisk();
    expect(await paths({ root, exclude: ["node_modules"], disk })).toEqual(["src/", "src/d.js"]);
    expect(read).toHaveLength(2);
    expect(await paths({ root, exclude: ["node_modules", "!node_modules/keep"] })).toEqual([
      "node_modules/",
      "node_modules/keep/",
      "node_modules/keep/c.js",
      "src/",
      "src/d.js",
    ]);
  });

  test("wildcards in a directory's name still bound the walk", async () => {
    const root = makeTestDirectory({ "a.d/x": "", "b/deep/x": "" });
    const { disk, read } = countingDisk();
    expect(await paths({ root, include: ["*.d/x"], disk })).toEqual(["a.d/", "a.d/x"]);
    expect(read).toHaveLength(2);
  });

  test("a directory that can't be read fails the walk, unless it is filtered out", async () => {
    const root = makeTestDirectory({ "closed/x": "", open: "" });
    const disk: Disk = {
      ...localDisk,
      readDirectory(path) {
        if (path.endsWith("/closed")) throw Object.assign(new Error("EACCES"), { code: "EACCES" });
        return localDisk.readDirectory(path);
      },
    };
    await expect(paths({ root, disk })).rejects.toMatchObject({ code: "EACCES" });
    expect(await paths({ root, disk, include: ["**/open"] })).toEqual(["open"]);
  });

  test("entries that vanish meanwhile are left out, their neighbours are not", async () => {
    const root = makeTestDirectory({ "a/x": "", b: "", c: "", l: { link: "b" } });
    const disk: Disk = {
      ...localDisk,
      readDirectory(path) {
        const items = localDisk.readDirectory(path);
        for (const name of ["a", "b", "l"]) rmSync(join(root, name), { recursive: true, force: true });
        return items;
      },
    };
    expect(await paths({ root, disk })).toEqual(["c"]);
  });

  test("names that are not UTF-8 keep their bytes, and their place among the others", async () => {
    const root = makeTestDirectory({ f: "", é: "", "\ufffd": "" });
    for (const hex of ["66ff", "80", "e9", "ff"]) writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.from(hex, "hex")]), "");
    expect((await paths({ root })).map((path) => bytesOfName(path).toString("hex"))).toEqual(["66", "66ff", "80", "c3a9", "e9", "efbfbd", "ff"]);
  });

  test("the root may be a symbolic link, but must be a directory that exists", async () => {
    const root = makeTestDirectory({ "real/a": "", link: { link: "real" } });
    expect(await paths({ root: join(root, "link") })).toEqual(["a"]);
    await expect(paths({ root: join(root, "real/a") })).rejects.toMatchObject({ code: "ENOTDIR" });
    await expect(paths({ root: join(root, "none") })).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("an aborted walk ends at its next pause", async () => {
    const root = makeTestDirectory();
    for (let index = 0; index < 50; index++) mkdirSync(join(root, `d${index}`));
    const abort = new AbortController();
    const slow: Disk = {
      ...localDisk,
      lstat(path) {
        const until = performance.now() + 1;
        while (performance.now() < until);
        return localDisk.lstat(path);
      },
    };
    const run = async () => {
      for await (const _ of walkTree({ root, signal: abort.signal, disk: slow })) abort.abort();
    };
    await expect(run()).rejects.toMatchObject({ code: "ABORTED" });
  });
});

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

test("a large directory gives way to the event loop", async () => {
  const root = makeTestDirectory();
  const slow: Disk = {
    ...localDisk,
    lstat(path) {
      const until = performance.now() + 2;
      while (performance.now() < until);
      return localDisk.lstat(path);
    },
  };
  for (let index = 0; index < 20; index++) symlinkSync("x", join(root, `l${index}`));
  utimesSync(root, 0, 0);
  let turns = 0;
  let walking = true;
  const turn = () => {
    turns++;
    if (walking) setImmediate(turn);
  };
  setImmediate(turn);
  await walk({ root, disk: slow });
  walking = false;
  expect(turns).toBeGreaterThan(3);
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
