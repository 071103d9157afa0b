import { execFileSync } from "node:child_process";
import { linkSync, lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileStat, type FileStat } from "./file-stat.ts";
import { MODE } from "./file-mode.ts";
import { bytesOfName } from "./file-name.ts";
import type { Packet } from "./packet.ts";
import { receiveTree } from "./receive-tree.ts";
import { sendTree } from "./send-tree.ts";
import { createTestChannels, sendPackets } from "./test-channels.ts";
import { makeTestDirectory, readTestTree, type TestTree } from "./test-tree.ts";
import { walkTree } from "./walk-tree.ts";

/** Sends the tree at `source` to `destination`; gives the numbers that were asked for. */
async function transfer(source: string, destination: string, merge: boolean): Promise<number[]> {
  const [sender, receiver] = createTestChannels();
  await Promise.all([
    sendTree({ entries: walkTree({ root: source }), channel: sender }).finally(() => sender.end()),
    receiveTree({ channel: receiver, destination, merge }),
  ]);
  return receiver.sent.flatMap((packet) => (packet.type === "request" ? [packet.id] : []));
}

const TREE: TestTree = { a: "text", d: null, "d/empty": "", "d/large": "0123456789".repeat(100_000), "d/sub": null, "d/sub/x": "x", l: { link: "../outside" } };

describe("receiving a tree", () => {
  test("it arrives as it was", async () => {
    const source = makeTestDirectory(TREE);
    const destination = join(makeTestDirectory(), "new/deep");
    await transfer(source, destination, true);
    expect(readTestTree(destination)).toEqual(TREE);
  });

  test("with modes, times and hard links", async () => {
    const source = makeTestDirectory({ "d/a": "x", "locked/b": "y" });
    const { chmodSync, utimesSync } = await import("node:fs");
    linkSync(join(source, "d/a"), join(source, "d/z"));
    chmodSync(join(source, "d/a"), 0o4751);
    chmodSync(join(source, "locked"), 0o555);
    for (const path of ["d/a", "d", "locked"]) utimesSync(join(source, path), 1_600_000_000.25, 1_600_000_000.25);
    const destination = makeTestDirectory();
    await transfer(source, destination, false);
    expect(lstatSync(join(destination, "d/a")).mode & 0o7777).toBe(0o4751);
    expect(lstatSync(join(destination, "locked")).mode & 0o7777).toBe(0o555);
    expect(statSync(join(destination, "d/a")).ino).toBe(statSync(join(destination, "d/z")).ino);
    expect(["d/a", "d", "locked"].map((path) => lstatSync(join(destination, path)).mtimeMs)).toEqual([1_600_000_000_250, 1_600_000_000_250, 1_600_000_000_250]);
  });

  test("with names and targets of links that are not UTF-8", async () => {
    const [source, destination] = [makeTestDirectory(), makeTestDirectory({ old: "" })];
    const at = (root: string, path: string) => bytesOfName(join(root, path));
    mkdirSync(at(source, "d\udcff"));
    writeFileSync(at(source, "d\udcff/\udcfe"), "content");
    linkSync(at(source, "d\udcff/\udcfe"), at(source, "d\udcff/\udcff"));
    symlinkSync(bytesOfName("\udcff"), at(source, "l"));
    await transfer(source, destination, false);
    expect(readFileSync(at(destination, "d\udcff/\udcfe"), "utf8")).toBe("content");
    expect(statSync(at(destination, "d\udcff/\udcff")).ino).toBe(statSync(at(destination, "d\udcff/\udcfe")).ino);
    expect(readlinkSync(at(destination, "l"), "hex")).toBe("ff");
    await transfer(makeTestDirectory({ new: "" }), destination, false);
    expect(readdirSync(destination)).toEqual(["new"]);
  });

  test("merging adds and replaces, and removes nothing", async () => {
    const source = makeTestDirectory({ a: "new", "d/x": "new" });
    const destination = makeTestDirectory({ a: "old", "d/x": "old", "d/y": "kept", other: "kept" });
    await transfer(source, destination, true);
    expect(readTestTree(destination)).toEqual({ a: "new", d: null, "d/x": "new", "d/y": "kept", other: "kept" });
  });

  test("replacing removes what the listing doesn't have", async () => {
    const destination = makeTestDirectory({ a: "old", "b/c/d": "gone", "d/y": "gone", "d/sub/x": "old", zzz: { link: "a" } });
    await transfer(makeTestDirectory(TREE), destination, false);
    expect(readTestTree(destination)).toEqual(TREE);
  });

  test("replacing asks only for what differs", async () => {
    const source = makeTestDirectory(TREE);
    const destination = makeTestDirectory();
    expect(await transfer(source, destination, false)).toEqual([0, 2, 3, 5]);
    expect(await transfer(source, destination, false)).toEqual([]);
    writeFileSync(join(source, "d/sub/x"), "other");
    expect(await transfer(source, destination, false)).toEqual([5]);
    expect(readTestTree(destination)).toEqual({ ...TREE, "d/sub/x": "other" });
  });

  test.each([
    ["a file, a directory", { x: "f" }, { "x/in": "d" }],
    ["a directory, a file", { "x/in": "d" }, { x: "f" }],
    ["a link to a directory, a directory", { "x/in": "d" }, { x: { link: "." } }],
    ["a link, a file", { x: "f" }, { x: { link: "elsewhere" } }],
    ["a file, a link", { x: { link: "elsewhere" } }, { x: "f" }],
    ["a directory, a link", { x: { link: "elsewhere" } }, { "x/in": "d" }],
  ] satisfies [string, TestTree, TestTree][])("what was %s now is the other, merged or replaced", async (_, incoming, existing) => {
    for (const merge of [true, false]) {
      const destination = makeTestDirectory(existing);
      await transfer(makeTestDirectory(incoming), destination, merge);
      expect(readTestTree(destination)).toEqual(readTestTree(makeTestDirectory(incoming)));
    }
  });

  test("a hard link that exists already is left as it is, one that became a copy is separated", async () => {
    const source = makeTestDirectory({ a: "x" });
    linkSync(join(source, "a"), join(source, "b"));
    const destination = makeTestDirectory();
    await transfer(source, destination, false);
    expect(await transfer(source, destination, false)).toEqual([]);
    const { copyFileSync, rmSync, utimesSync } = await import("node:fs");
    rmSync(join(source, "b"));
    copyFileSync(join(source, "a"), join(source, "b"));
    utimesSync(join(source, "b"), lstatSync(join(source, "a")).mtime, lstatSync(join(source, "a")).mtime);
    expect(await transfer(source, destination, false)).toEqual([1]);
    expect(statSync(join(destination, "a")).ino).not.toBe(statSync(join(destination, "b")).ino);
  });
});

describe("a transfer that breaks", () => {
  const file = (path: string, more: Partial<FileStat> = {}): Packet => ({ type: "stat", stat: fileStat({ path, mode: 0o644, size: 3, ...more }) });
  const directory = (path: string): Packet => ({ type: "stat", stat: fileStat({ path, mode: (MODE.DIRECTORY | 0o755) >>> 0 }) });
  const end: Packet = { type: "stat", stat: undefined };
  const data = (id: number, text: string): Packet => ({ type: "data", id, data: Buffer.from(text) });

  async function receive(packets: readonly Packet[], destination = makeTestDirectory({ old: "old" })) {
    const [sender, receiver] = createTestChannels();
    await sendPackets(sender, packets);
    sender.end();
    const result = receiveTree({ channel: receiver, destination, merge: false });
    return { destination, sent: receiver.sent, result };
  }

  test("a file appears complete or not at all; nothing is removed, no temporary file stays", async () => {
    const { destination, result } = await receive([file("a"), file("old"), end, data(0, "abc"), data(0, ""), data(1, "x".repeat(400_000))]);
    await expect(result).rejects.toMatchObject({ reason: "protocol", message: "the sender ended before everything was received" });
    expect(readTestTree(destination)).toEqual({ a: "abc", old: "old" });
  });

  test("the sender's error fails the receiver, which says so itself", async () => {
    const { result, sent } = await receive([file("a"), { type: "error", message: "no luck" }]);
    await expect(result).rejects.toMatchObject({ reason: "peer", message: "error from sender: no luck" });
    expect(sent.at(-1)).toEqual({ type: "error", message: "error from sender: no luck" });
  });

  test.each([
    ["content that nobody asked for", [data(5, "x")], "invalid file request 5"],
    ["content behind its end", [file("a"), data(0, "x"), data(0, ""), data(0, "y")], "invalid file request 0"],
    ["content of a directory", [directory("d"), data(0, "x")], "invalid file request 0"],
    ["a request", [{ type: "request", id: 0 }], "a request packet from the sender"],
    ["an early finish", [file("a"), { type: "finish" }], "the sender finished before everything was received"],
    ["a second end of the listing", [file("a"), end, end], "a second end of the listing"],
    ["an entry behind the end", [file("a"), end, file("b")], "an entry behind the end of the listing"],
    [
      "too many files at once",
      [...numbers(129).map((n) => file(`f${1000 + n}`)), ...numbers(129).map((n) => data(n, "x"))],
      "the sender began too many files at once",
    ],
  ] satisfies [string, Packet[], string][])("%s is refused", async (_, packets, message) => {
    const { result, destination } = await receive(packets);
    await expect(result).rejects.toMatchObject({ reason: "protocol", message });
    expect(readdirSync(destination).filter((name) => name.startsWith("."))).toEqual([]);
  });

  test("a named pipe is made by whoever can, and is left as it is when it comes again", async () => {
    const destination = makeTestDirectory({ p: "a file" });
    const made: string[] = [];
    const makeSpecialFile = async (path: string) => {
      made.push(path);
      execFileSync("mkfifo", [path]);
    };
    const pipe = fileStat({ path: "p", mode: MODE.NAMED_PIPE | 0o640, modTimeNs: 1_600_000_000_000_000_000n });
    const listing = [{ type: "stat", stat: pipe }, end, { type: "finish" }] satisfies Packet[];
    for (const merge of [true, false]) {
      const [sender, receiver] = createTestChannels();
      await sendPackets(sender, listing);
      sender.end();
      await receiveTree({ channel: receiver, destination, merge, makeSpecialFile });
    }
    expect(made).toEqual([expect.stringContaining(`${destination}/.anyrunner-`)]);
    expect(readdirSync(destination)).toEqual(["p"]);
    const stats = lstatSync(join(destination, "p"));
    expect([stats.isFIFO(), stats.mode & 0o777, stats.mtimeMs]).toEqual([true, 0o640, 1_600_000_000_000]);
  });

  test("a device is refused by name", async () => {
    const { result } = await receive([file("null", { mode: (MODE.DEVICE | MODE.CHARACTER_DEVICE | 0o666) >>> 0, size: 0 })]);
    await expect(result).rejects.toMatchObject({ reason: "unsupported", message: expect.stringContaining("null") });
  });

  test("a cancelled transfer fails as aborted and leaves no temporary file", async () => {
    const [sender, receiver] = createTestChannels();
    const destination = makeTestDirectory();
    const abort = new AbortController();
    const result = receiveTree({ channel: receiver, destination, merge: true, signal: abort.signal });
    await sendPackets(sender, [file("a"), end, data(0, "x".repeat(300_000))]);
    while (readdirSync(destination).length === 0) await new Promise(setImmediate);
    abort.abort();
    sender.cancel(new Error("cancelled"));
    await expect(result).rejects.toMatchObject({ code: "ABORTED" });
    expect(readdirSync(destination)).toEqual([]);
  });

  test("a destination that is a file is an error", async () => {
    const root = makeTestDirectory({ file: "x" });
    await expect((await receive([end], join(root, "file"))).result).rejects.toMatchObject({ code: "EEXIST" });
    mkdirSync(join(root, "dir"));
    await (
      await receive([end, { type: "finish" }], join(root, "dir"))
    ).result;
  });
});

function numbers(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
