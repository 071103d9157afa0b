import { describe, expect, test } from "vitest";

import { diffFolders } from "./diff.ts";
import { mergeFolders, removeNode, setNode, withFileAt } from "./edit.ts";
import { glob } from "./glob.ts";
import { findNode, lookUp } from "./lookup.ts";
import { bytesContent, EMPTY_FOLDER, makeFile, walkNodes, type FolderNode, type TreeNode } from "./node.ts";

const file = (text: string) => makeFile(bytesContent(Buffer.from(text)));
const link = (target: string): TreeNode => ({ kind: "link", target, mode: 0o777, uid: 0, gid: 0, modTimeNs: 0n });
const treeOf = (entries: Readonly<Record<string, TreeNode>>) =>
  Object.entries(entries).reduce<FolderNode>((root, [path, node]) => setNode(root, path.split("/"), node), EMPTY_FOLDER);
const paths = (root: FolderNode) => [...walkNodes(root)].map(([path]) => path);

describe("a path", () => {
  const root = treeOf({
    "a/b/c": file("c"),
    up: link("../../a"),
    abs: link("/a/b"),
    loop: link("loop"),
    "a/out": link("../../../etc/passwd"),
    etc: EMPTY_FOLDER,
  });

  test.each([
    ["a/b/c", ["a", "b", "c"]],
    ["/a//b/./c", ["a", "b", "c"]],
    ["../../a/b", ["a", "b"]],
    ["up/b", ["a", "b"]],
    ["abs/c", ["a", "b", "c"]],
    ["abs/../b/c", ["a", "b", "c"]],
  ])("%s is found", (path, names) => {
    expect(lookUp(root, path)).toMatchObject({ names, node: expect.anything() as unknown });
  });

  test("that leads out of the tree by a link stays inside", () => {
    expect(() => findNode(root, "a/out")).toThrow("stat a/out: no such file or directory");
    expect(findNode(root, "a/out", { follow: false }).kind).toBe("link");
  });

  test("fails in the words of Go", () => {
    expect(() => findNode(root, "a/zz/x")).toThrow("stat a/zz/x: no such file or directory");
    expect(() => findNode(root, "a/b/c/d", { operation: "lstat" })).toThrow("lstat a/b/c/d: not a directory");
    expect(() => findNode(root, "loop")).toThrow("stat loop: too many levels of symbolic links");
  });
});

describe("a change", () => {
  const root = treeOf({ "d/x": file("1"), keep: file("2") });

  test("leaves the old tree as it was", () => {
    const changed = setNode(removeNode(root, ["keep"]), ["n", "m"], file("3"));
    expect(paths(root)).toEqual(["d", "d/x", "keep"]);
    expect(paths(changed)).toEqual(["d", "d/x", "n", "n/m"]);
  });

  test("joins folders and replaces files", () => {
    expect(paths(mergeFolders(root, treeOf({ "d/y": file("4"), keep: EMPTY_FOLDER })))).toEqual(["d", "d/x", "d/y", "keep"]);
  });

  test("puts a file into the folder that is there, or that a slash asks for", () => {
    expect(paths(withFileAt(root, "d", { name: "f", node: file("5") }))).toEqual(["d", "d/f", "d/x", "keep"]);
    expect(paths(withFileAt(root, "new/", { name: "f", node: file("5") }))).toEqual(["d", "d/x", "keep", "new", "new/f"]);
  });
});

test("a difference has what was added and changed, nothing that was removed", () => {
  const same = file("same");
  const lower = treeOf({ "d/same": same, "d/old": file("1"), gone: file("2") });
  const upper = treeOf({ "d/same": same, "d/old": file("3"), "n/m": file("4") });
  expect(paths(diffFolders(lower, upper))).toEqual(["d", "d/old", "n", "n/m"]);
  expect(paths(diffFolders(upper, upper))).toEqual([]);
});

test("glob gives whole matches, folders with a slash, and does not enter links", () => {
  const root = treeOf({ "a/x.txt": file("1"), "b.txt": file("2"), l: link("a") });
  expect(glob(root, "**/*.txt")).toEqual(["a/x.txt", "b.txt"]);
  expect(glob(root, "*")).toEqual(["a/", "b.txt", "l"]);
  expect(glob(root, "a")).toEqual(["a/"]);
  expect(glob(root, "/a")).toEqual([]);
});
