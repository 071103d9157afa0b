import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";

import fc from "fast-check";
import { pack } from "tar-stream";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createBlobStore, type BlobStore } from "./blob-store.ts";
import { bytesContent, makeFolder, treeDigest, walkNodes, type FolderNode, type TreeNode } from "./node.ts";
import { readTarHead } from "./tar-head.ts";
import { readTar } from "./tar-read.ts";
import { folderEntries, writeTar } from "./tar-write.ts";

let folder: string;
let store: BlobStore;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-tar-"));
  store = createBlobStore(folder);
});

afterAll(() => rm(folder, { recursive: true }));

const attributes = fc.record({
  mode: fc.integer({ min: 0, max: 0o7777 }),
  uid: fc.integer({ min: 0, max: 4_000_000 }),
  gid: fc.integer({ min: 0, max: 4_000_000 }),
  modTimeNs: fc.bigInt({ min: 0n, max: 4_000_000_000n }).map((micros) => micros * 1_000_000n),
});
const name = fc
  .oneof(fc.stringMatching(/^[a-zA-Z0-9 ._"\\-]{1,20}$/), fc.constantFrom("ünï", "日本.txt", "x".repeat(130), "😀"))
  .filter((text) => text !== "." && text !== "..");
const { root: tree } = fc.letrec<{ root: FolderNode; node: TreeNode }>((tie) => ({
  root: fc.tuple(attributes, fc.array(fc.tuple(name, tie("node")), { maxLength: 5 })).map(([own, entries]) => makeFolder(new Map(entries), own)),
  node: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    fc.tuple(attributes, fc.string({ maxLength: 30 })).map(([own, text]): TreeNode => ({ kind: "file", ...own, content: bytesContent(Buffer.from(text)) })),
    fc.tuple(attributes, fc.constantFrom("a", "../../b", "/c/" + "long/".repeat(40))).map(([own, target]): TreeNode => ({ kind: "link", ...own, target })),
    tie("root"),
  ),
}));

test("what is written is read back: names, modes, owners, times, links and contents", async () => {
  await fc.assert(
    fc.asyncProperty(tree, async (root) => {
      const back = await readTar(writeTar(folderEntries(root), store), store);
      const plain = { mode: 0o755, uid: 0, gid: 0, modTimeNs: 0n };
      expect(treeDigest({ ...back, ...plain })).toBe(treeDigest({ ...root, ...plain }));
      expect([...walkNodes(back)].map(([path, node]) => [path, node.modTimeNs])).toEqual([...walkNodes(root)].map(([path, node]) => [path, node.modTimeNs]));
    }),
    { numRuns: 40 },
  );
});

test("a content that is not in memory comes from the store", async () => {
  const bytes = Buffer.alloc(700_000, "x");
  const content = await store.add(Readable.from([bytes.subarray(0, 300_000), bytes.subarray(300_000)]));
  expect(content.bytes).toBeUndefined();
  const root = makeFolder(new Map<string, TreeNode>([["big", { kind: "file", mode: 0o644, uid: 0, gid: 0, modTimeNs: 0n, content }]]));
  const back = (await readTar(writeTar(folderEntries(root), store), store)).entries.get("big");
  expect(back?.kind === "file" && back.content.digest).toBe(content.digest);
});

describe("an archive of somebody else", () => {
  const archive = (
    entries: readonly { readonly name: string; readonly type?: "symlink" | "link" | "directory"; readonly linkname?: string; readonly text?: string }[],
  ) => {
    const stream = pack();
    for (const { text, ...header } of entries) stream.entry(header, text ?? "");
    stream.finalize();
    return Readable.from(stream as AsyncIterable<Buffer>, { objectMode: false });
  };

  test("can't name anything outside its tree", async () => {
    const root = await readTar(
      archive([
        { name: "../../etc/passwd", text: "x" },
        { name: "/abs", text: "y" },
        { name: "a/../../b", text: "z" },
      ]),
      store,
    );
    expect([...walkNodes(root)].map(([path]) => path)).toEqual(["abs", "b", "etc", "etc/passwd"]);
  });

  test("links stay what they are: nothing is written through them", async () => {
    const root = await readTar(
      archive([
        { name: "l", type: "symlink", linkname: "/etc" },
        { name: "l/x", text: "x" },
      ]),
      store,
    );
    expect([...walkNodes(root)].map(([path, { kind }]) => `${path} ${kind}`)).toEqual(["l folder", "l/x file"]);
  });

  test("a hard link is the file that it names", async () => {
    const root = await readTar(
      archive([
        { name: "a", text: "same" },
        { name: "b", type: "link", linkname: "a" },
      ]),
      store,
    );
    expect(root.entries.get("b")).toBe(root.entries.get("a"));
  });

  test("tells its first entry without being read to its end", async () => {
    expect(
      await readTarHead(
        archive([
          { name: "d/", type: "directory" },
          { name: "d/x", text: "x" },
        ]),
      ),
    ).toMatchObject({ kind: "folder" });
  });
});
