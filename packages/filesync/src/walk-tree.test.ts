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
