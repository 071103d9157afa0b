import { readdirSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MODE } from "./file-mode.ts";
import { fileStat, type FileStat } from "./file-stat.ts";
import { FilesyncError } from "./filesync-error.ts";
import { createListingCheck } from "./listing-check.ts";
import type { Packet } from "./packet.ts";
import { receiveTree } from "./receive-tree.ts";
import { createTestChannels, sendPackets } from "./test-channels.ts";
import { makeTestDirectory, readTestTree } from "./test-tree.ts";

const directory = (path: string): FileStat => fileStat({ path, mode: (MODE.DIRECTORY | 0o755) >>> 0 });
const file = (path: string, linkname = ""): FileStat => fileStat({ path, mode: 0o644, size: 1, linkname });
const symlink = (path: string, linkname: string): FileStat => fileStat({ path, mode: (MODE.SYMLINK | 0o777) >>> 0, linkname });

function check(stats: readonly FileStat[], platform: NodeJS.Platform = "linux"): void {
  const listing = createListingCheck(platform);
  for (const stat of stats) listing.check(stat);
}

describe("a listing is refused", () => {
  test.each([
    ["", "it is the root itself"],
    [".", "it is the root itself"],
    ["..", "it leaves the root"],
    ["../x", "it leaves the root"],
    ["a/../../x", "it is not clean"],
    ["/etc/passwd", "it is absolute"],
    ["a//b", "it is not clean"],
    ["a/", "it is not clean"],
    ["./a", "it is not clean"],
    ["a\0b", "it has a zero byte"],
  ])("for the path %j", (path, why) => {
    expect(() => check([directory("a"), file(path)])).toThrow(expect.objectContaining({ reason: "unsafe", message: expect.stringContaining(why) }));
  });

  test.each(["a\\..\\..\\x", "C:x", "a:stream", "dir./x", "space "])("for the path %j on Windows, where it is none", (path) => {
    expect(() => check([file(path)], "win32")).toThrow(expect.objectContaining({ reason: "unsafe" }));
    expect(() => check([directory("dir."), file(path)].slice(path.startsWith("dir.") ? 0 : 1))).not.toThrow();
  });

  test.each([
    ["out of order", [file("b"), file("a")]],
    ["the same path twice", [file("a"), file("a")]],
    ["a child before its directory", [file("d/x"), directory("d")]],
    ["a child of a file", [file("d"), file("d/x")]],
    ["a child of a symbolic link", [symlink("d", "/etc"), file("d/x")]],
    ["a directory that becomes a link later", [directory("d"), symlink("d", "/etc")]],
    ["a path that goes back into a directory", [directory("d"), file("e"), file("d/x")]],
  ])("for %s", (_, stats) => {
    expect(() => check(stats)).toThrow(expect.objectContaining({ reason: "protocol" }));
  });

  test.each([
    ["a file outside", [file("a", "../../etc/passwd")]],
    ["an absolute path", [file("a", "/etc/passwd")]],
    ["a file that comes later", [file("a", "b"), file("b")]],
    ["a directory", [directory("a"), file("b", "a")]],
    ["a symbolic link", [symlink("a", "/etc/passwd"), file("b", "a")]],
    ["another hard link", [file("a"), file("b", "a"), file("c", "b")]],
  ])("for a hard link to %s", (_, stats) => {
    expect(() => check(stats)).toThrow(expect.objectContaining({ reason: "unsafe" }));
  });

  test("but not for a symbolic link to anywhere: it is made, never followed", () => {
    expect(() => check([symlink("a", "/etc/passwd"), symlink("b", "../../..")])).not.toThrow();
  });
});

const name = fc.constantFrom("a", "b", "link", "out", "..", ".", "", "a\\b", "é");
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((names) => names.join("/"));
const entry = fc.oneof(
  path.map(directory),
  fc.tuple(path, fc.oneof(fc.constant(""), path, fc.constant("../outside/secret"))).map(([at, link]) => file(at, link)),
  fc.tuple(path, fc.constantFrom("../outside", "/", "..", "a", ".")).map(([at, link]) => symlink(at, link)),
);

describe("whatever the listing says", () => {
  test("nothing outside of the destination changes", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 12 }), fc.boolean(), fc.boolean(), async (stats, sorted, merge) => {
        const root = makeTestDirectory({
          "outside/secret": "s",
          "inside/link": { link: "../outside" },
          "inside/out": { link: "../outside/secret" },
          "inside/b/x": "x",
        });
        const listing = sorted ? stats.toSorted((one, other) => (one.path < other.path ? -1 : 1)) : stats;
        const packets: Packet[] = [
          ...listing.map((stat) => ({ type: "stat", stat }) as const),
          { type: "stat", stat: undefined },
          ...listing.flatMap((_, id) => [{ type: "data", id, data: Buffer.from("pwned") } as const, { type: "data", id, data: Buffer.alloc(0) } as const]),
        ];
        const [sender, receiver] = createTestChannels();
        await sendPackets(sender, packets);
        sender.end();
        await receiveTree({ channel: receiver, destination: join(root, "inside"), merge }).catch((error: unknown) =>
          expect(FilesyncError.is(error)).toBe(true),
        );
        expect(readTestTree(join(root, "outside"))).toEqual({ secret: "s" });
        expect(readdirSync(root).sort()).toEqual(["inside", "outside"]);
        expect(Object.keys(readTestTree(join(root, "inside"))).filter((left) => left.includes(".anyrunner-"))).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });

  test("a link on disk where the listing has a directory is replaced, not followed", async () => {
    const root = makeTestDirectory({ "outside/x": "kept", "inside/d": { link: "../outside" } });
    const [sender, receiver] = createTestChannels();
    await sendPackets(sender, [
      { type: "stat", stat: directory("d") },
      { type: "stat", stat: file("d/x") },
      { type: "stat", stat: undefined },
      { type: "data", id: 1, data: Buffer.from("new") },
      { type: "data", id: 1, data: Buffer.alloc(0) },
      { type: "finish" },
    ]);
    sender.end();
    await receiveTree({ channel: receiver, destination: join(root, "inside"), merge: true });
    expect(readTestTree(root)).toEqual({ inside: null, "inside/d": null, "inside/d/x": "new", outside: null, "outside/x": "kept" });
  });
});
