import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isRegular, MODE } from "./file-mode.ts";
import { fileStat } from "./file-stat.ts";
import type { Packet } from "./packet.ts";
import { requestTree } from "./request-tree.ts";
import { sendTree } from "./send-tree.ts";
import { createTestChannels, sendPackets } from "./test-channels.ts";
import { makeTestDirectory, type TestTree } from "./test-tree.ts";
import type { TreeEntry } from "./tree-entry.ts";
import { walkTree } from "./walk-tree.ts";

async function textOf(content: AsyncIterable<Uint8Array> | undefined): Promise<string | undefined> {
  return content === undefined ? undefined : Buffer.concat(await Array.fromAsync(content)).toString();
}

async function* textIn(pieces: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const piece of pieces) yield Buffer.from(piece);
}

/** Fetches a tree as an engine does: what it got by path, cancelling at the end. */
async function fetchTree(entries: AsyncIterable<TreeEntry>, wants: (path: string) => boolean = () => true) {
  const [sender, receiver] = createTestChannels();
  const abort = new AbortController();
  const sending = sendTree({ entries, channel: sender, signal: abort.signal });
  const found: Record<string, string | undefined> = {};
  await requestTree({
    channel: receiver,
    wants: (stat) => wants(stat.path),
    async entry(stat, content) {
      found[stat.path] = await textOf(content);
    },
  });
  abort.abort();
  receiver.cancel(new Error("cancelled"));
  await sending;
  return { found, requests: receiver.sent };
}

describe("requesting a tree", () => {
  test("entries come in order, with the contents that are wanted", async () => {
    const root = makeTestDirectory({ "a/x": "1", "a/y": "", b: "2", l: { link: "b" } });
    const { found, requests } = await fetchTree(walkTree({ root }), (path) => path !== "b");
    expect(Object.entries(found)).toEqual([
      ["a", undefined],
      ["a/x", "1"],
      ["a/y", ""],
      ["b", undefined],
      ["l", undefined],
    ]);
    expect(requests).toEqual([
      { type: "request", id: 1 },
      { type: "request", id: 2 },
    ]);
  });

  test("any tree arrives whole, small and large files mixed", async () => {
    const sizes = fc.array(fc.constantFrom(0, 1, 100, 65_536, 65_537, 300_000, 3_000_000, 9_000_000), { minLength: 1, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, async (sizes) => {
        const tree: TestTree = Object.fromEntries(sizes.map((size, index) => [`f${index}`, String(index % 10).repeat(size)]));
        expect((await fetchTree(walkTree({ root: makeTestDirectory(tree) }))).found).toEqual(tree);
      }),
      { numRuns: 15 },
    );
  });

  test("a file that grew is cut to the size that was listed, one that shrank is short", async () => {
    async function* entries(): AsyncGenerator<TreeEntry> {
      yield { stat: fileStat({ path: "grown", size: 5 }), open: () => textIn(["123", "456", "7890"]) };
      yield { stat: fileStat({ path: "shrunk", size: 5 }), open: () => textIn(["12"]) };
    }
    expect((await fetchTree(entries())).found).toEqual({ grown: "12345", shrunk: "12" });
  });

  test("content that the consumer doesn't read is dropped", async () => {
    const [sender, receiver] = createTestChannels();
    const abort = new AbortController();
    const sending = sendTree({ entries: walkTree({ root: makeTestDirectory({ a: "x".repeat(9_000_000), b: "y" }) }), channel: sender, signal: abort.signal });
    const found: string[] = [];
    await requestTree({
      channel: receiver,
      wants: (stat) => isRegular(stat.mode),
      async entry(stat) {
        found.push(stat.path);
      },
    });
    abort.abort();
    receiver.cancel(new Error("cancelled"));
    await sending;
    expect(found).toEqual(["a", "b"]);
  });

  test("ignored files and further hard links are not asked for", async () => {
    const [sender, receiver] = createTestChannels();
    await sendPackets(sender, [
      { type: "stat", stat: fileStat({ path: "a", size: 0 }) },
      { type: "stat", stat: fileStat({ path: "b", linkname: "a" }) },
      { type: "stat", stat: fileStat({ path: "c", gitIgnored: true }) },
      { type: "stat", stat: undefined },
      { type: "data", id: 0, data: Buffer.alloc(0) },
    ]);
    const contents: boolean[] = [];
    await requestTree({ channel: receiver, wants: () => true, entry: async (_, content) => void contents.push(content !== undefined) });
    expect(contents).toEqual([true, false, false]);
  });
});

describe("a sender that can't be trusted", () => {
  const file: Packet = { type: "stat", stat: fileStat({ path: "a", size: 3 }) };
  test.each([
    ["a path outside", [{ type: "stat", stat: fileStat({ path: "../a" }) }], "unsafe"],
    ["a child of nothing", [{ type: "stat", stat: fileStat({ path: "d/a" }) }], "protocol"],
    ["content that nobody asked for", [{ type: "data", id: 3, data: Buffer.from("x") }], "protocol"],
    ["a failure", [{ type: "error", message: "permission denied" }], "peer"],
    ["an early end", [file], "protocol"],
    ["a finish", [file, { type: "finish" }], "protocol"],
    ["an end inside a content", [file, { type: "stat", stat: undefined }, { type: "data", id: 0, data: Buffer.from("x") }], "protocol"],
  ] satisfies [string, Packet[], string][])("%s fails typed", async (_, packets, reason) => {
    const [sender, receiver] = createTestChannels();
    await sendPackets(sender, packets);
    sender.end();
    const result = requestTree({ channel: receiver, wants: () => true, entry: async (_, content) => void (await textOf(content)) });
    await expect(result).rejects.toMatchObject({ reason });
  });

  test("an error of the consumer ends the transfer and is told to the sender", async () => {
    const [sender, receiver] = createTestChannels();
    await sendPackets(sender, [{ type: "stat", stat: fileStat({ path: "d", mode: MODE.DIRECTORY }) }]);
    const result = requestTree({
      channel: receiver,
      wants: () => true,
      async entry() {
        throw new Error("no room");
      },
    });
    await expect(result).rejects.toThrow("no room");
    expect(receiver.sent).toEqual([{ type: "error", message: "no room" }]);
  });

  test("an abort fails as aborted", async () => {
    const [sender, receiver] = createTestChannels();
    const abort = new AbortController();
    const result = requestTree({ channel: receiver, wants: () => true, entry: async () => {}, signal: abort.signal });
    abort.abort();
    sender.cancel(new Error("cancelled"));
    await expect(result).rejects.toMatchObject({ code: "ABORTED" });
  });
});
