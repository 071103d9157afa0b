import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { fileStat } from "./file-stat.ts";
import type { Packet } from "./packet.ts";
import { sendTree } from "./send-tree.ts";
import { createTestChannels, sendPackets, type TestChannel } from "./test-channels.ts";
import { makeTestDirectory, type TestTree } from "./test-tree.ts";
import type { TreeEntry } from "./tree-entry.ts";
import { decodePacket } from "./packet.ts";
import { walkTree } from "./walk-tree.ts";

/** A sender of `tree`, the receiver's end of its channel and the packets that came out of it so far. */
function startSender(tree: TestTree, signal?: AbortSignal) {
  const root = makeTestDirectory(tree);
  const [sender, receiver] = createTestChannels();
  const done = sendTree({ entries: walkTree({ root }), channel: sender, signal });
  done.catch(() => {});
  const packets = receiver.messages[Symbol.asyncIterator]();
  return {
    root,
    sender,
    receiver,
    done,
    async next(): Promise<Packet> {
      return decodePacket((await packets.next()).value as Uint8Array);
    },
    /** Reads to the end of the listing; gives its paths. */
    async listing(): Promise<string[]> {
      const paths: string[] = [];
      for (let packet = await this.next(); packet.type === "stat" && packet.stat !== undefined; packet = await this.next()) paths.push(packet.stat.path);
      return paths;
    },
    /** Reads whole contents until `count` of them have ended. */
    async contents(count: number): Promise<Record<number, string>> {
      const found: Record<number, string> = {};
      for (let ended = 0; ended < count;) {
        const packet = await this.next();
        if (packet.type !== "data") throw new Error(`a ${packet.type} packet`);
        found[packet.id] = (found[packet.id] ?? "") + Buffer.from(packet.data).toString("latin1");
        if (packet.data.length === 0) ended++;
      }
      return found;
    },
  };
}

const finish = (receiver: TestChannel) => sendPackets(receiver, [{ type: "finish" }]);

describe("sending a tree", () => {
  test("numbers count every entry; contents go by number; FIN is answered", async () => {
    const run = startSender({ "a/x": "first", b: "second", c: { link: "b" } });
    expect(await run.listing()).toEqual(["a", "a/x", "b", "c"]);
    await sendPackets(run.receiver, [
      { type: "request", id: 2 },
      { type: "request", id: 1 },
    ]);
    expect(await run.contents(2)).toEqual({ 1: "first", 2: "second" });
    await finish(run.receiver);
    expect(await run.next()).toEqual({ type: "finish" });
    await run.done;
  });

  test("the call stays open after everything was sent, until the receiver cancels: that is success", async () => {
    const abort = new AbortController();
    const run = startSender({ a: "x" }, abort.signal);
    await run.listing();
    await sendPackets(run.receiver, [{ type: "request", id: 0 }]);
    await run.contents(1);
    let ended = false;
    void run.done.finally(() => (ended = true));
    await new Promise(setImmediate);
    expect(ended).toBe(false);
    abort.abort();
    run.receiver.cancel(new Error("cancelled"));
    await run.done;
    expect(run.sender.sent.map(({ type }) => type)).toEqual(["stat", "stat", "data", "data"]);
  });

  test("contents are served before the listing is complete", async () => {
    const [sender, receiver] = createTestChannels();
    const gate = Promise.withResolvers<void>();
    async function* entries(): AsyncGenerator<TreeEntry> {
      yield { stat: fileStat({ path: "a", size: 1 }), open: () => textOf("x") };
      await gate.promise;
      yield { stat: fileStat({ path: "b", size: 1 }), open: () => textOf("y") };
    }
    const done = sendTree({ entries: entries(), channel: sender });
    await sendPackets(receiver, [{ type: "request", id: 0 }]);
    while (sender.sent.filter(({ type }) => type === "data").length < 2) await new Promise(setImmediate);
    gate.resolve();
    await finish(receiver);
    await done;
  });

  test("a half-close ends the transfer once everything asked for has been sent", async () => {
    const run = startSender({ a: "x".repeat(700_000) });
    await sendPackets(run.receiver, [{ type: "request", id: 0 }]);
    run.receiver.end();
    await run.done;
    const data = run.sender.sent.filter((packet) => packet.type === "data");
    expect(data.reduce((sum, packet) => sum + packet.data.length, 0)).toBe(700_000);
    expect(data.at(-1)?.data.length).toBe(0);
  });

  test("a large file comes in pieces that every receiver takes, then an empty one", async () => {
    const text = Array.from({ length: 300_000 }, (_, index) => String(index)).join(",");
    const run = startSender({ large: text });
    await run.listing();
    await sendPackets(run.receiver, [{ type: "request", id: 0 }]);
    expect((await run.contents(1))[0]).toBe(text);
    const sizes = run.sender.sent.flatMap((packet) => (packet.type === "data" ? [packet.data.length] : []));
    expect(Math.max(...sizes)).toBeLessThan(4 * 1024 * 1024);
    await finish(run.receiver);
    await run.done;
  });

  test("an empty file is one empty piece", async () => {
    const run = startSender({ empty: "" });
    await run.listing();
    await sendPackets(run.receiver, [{ type: "request", id: 0 }]);
    expect(await run.next()).toEqual({ type: "data", id: 0, data: Buffer.alloc(0) });
    await finish(run.receiver);
    await run.done;
  });

  test("a file in whose place a directory is by now is sent as empty, whatever its size was", async () => {
    const run = startSender({ a: "x", b: "x".repeat(100_000) });
    await run.listing();
    for (const name of ["a", "b"]) {
      rmSync(join(run.root, name));
      mkdirSync(join(run.root, name));
    }
    await sendPackets(run.receiver, [
      { type: "request", id: 0 },
      { type: "request", id: 1 },
    ]);
    expect(await run.contents(2)).toEqual({ 0: "", 1: "" });
    await finish(run.receiver);
    await run.done;
  });

  test("a file that is gone by now is sent as empty, one that changed as it is", async () => {
    const run = startSender({ gone: "x", grown: "x", shrunk: "x".repeat(100_000) });
    await run.listing();
    rmSync(join(run.root, "gone"));
    writeFileSync(join(run.root, "grown"), "grown larger");
    truncateSync(join(run.root, "shrunk"), 3);
    await sendPackets(
      run.receiver,
      [0, 1, 2].map((id) => ({ type: "request", id }) as const),
    );
    expect(await run.contents(3)).toEqual({ 0: "", 1: "grown larger", 2: "xxx" });
    await finish(run.receiver);
    await run.done;
  });

  test("a file that became a symbolic link is not followed", async () => {
    const run = startSender({ secret: "s", a: "x" });
    await run.listing();
    rmSync(join(run.root, "a"));
    const { symlinkSync } = await import("node:fs");
    symlinkSync("secret", join(run.root, "a"));
    await sendPackets(run.receiver, [{ type: "request", id: 0 }]);
    expect(await run.contents(1)).toEqual({ 0: "" });
    await finish(run.receiver);
    await run.done;
  });
});

describe("a transfer that fails", () => {
  test.each([
    ["an unknown number", [{ type: "request", id: 9 }], "invalid file id 9"],
    ["a directory", [{ type: "request", id: 0 }], "invalid file id 0"],
    ["a symbolic link", [{ type: "request", id: 2 }], "invalid file id 2"],
    [
      "a file twice",
      [
        { type: "request", id: 1 },
        { type: "request", id: 1 },
      ],
      "invalid file id 1",
    ],
    ["a packet that only senders send", [{ type: "stat", stat: undefined }], "a stat packet from the receiver"],
  ] as const)("asking for %s is told to the receiver", async (_, packets, message) => {
    const run = startSender({ "d/f": "x", l: { link: "d" } });
    await run.listing();
    await sendPackets(run.receiver, packets);
    await expect(run.done).rejects.toMatchObject({ reason: "protocol", message });
    expect(run.sender.sent.at(-1)).toEqual({ type: "error", message });
  });

  test("the receiver's error fails the sender with its text", async () => {
    const run = startSender({ a: "x" });
    await sendPackets(run.receiver, [{ type: "error", message: "disk full" }]);
    await expect(run.done).rejects.toMatchObject({ reason: "peer", message: "error from receiver: disk full" });
  });

  test("a listing that can't be made is told to the receiver", async () => {
    const [sender, receiver] = createTestChannels();
    await expect(sendTree({ entries: walkTree({ root: "/none/at/all" }), channel: sender })).rejects.toMatchObject({ code: "ENOENT" });
    expect(sender.sent).toEqual([{ type: "error", message: "lstat /none: no such file or directory" }]);
    receiver.end();
  });

  test("bytes that are no packet fail the sender", async () => {
    const run = startSender({ a: "x" });
    const [raw, other] = createTestChannels();
    other.end();
    await sendTree({
      entries: walkTree({ root: run.root }),
      channel: {
        ...raw,
        messages: (async function* () {
          yield Buffer.from("08ff", "hex");
        })(),
      },
    }).then(
      () => expect.unreachable(),
      (error: unknown) => expect(error).toMatchObject({ reason: "malformed" }),
    );
    await finish(run.receiver);
    await run.done;
  });
});

async function* textOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}
