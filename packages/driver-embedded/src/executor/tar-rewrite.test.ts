import { buffer } from "node:stream/consumers";

import { extract, pack, type Header } from "tar-stream";
import { describe, expect, test } from "vitest";

import { rewriteTar, tarEnd, tarEntry } from "./tar-rewrite.ts";

const LONG = `${"deep/".repeat(40)}file-with-ü.txt`;

describe("rewriteTar", () => {
  test("passes everything on byte for byte", async () => {
    const tar = await packed([{ name: "a", type: "directory" }, { name: "a/b" }, { name: LONG }, { name: "l", type: "symlink", linkname: LONG }], "contents");
    for (const size of [1, 511, 513, 100_000]) expect(await rewritten(pieces(tar, size), () => "keep")).toEqual(tar);
  });

  test("drops entries with their extended headers", async () => {
    const tar = await packed([{ name: LONG }, { name: "b" }], "x");
    const names: string[] = [];
    const result = await rewritten(pieces(tar, 700), ({ name }) => {
      names.push(name);
      return name === LONG ? "drop" : "keep";
    });
    expect(names).toEqual([LONG, "b"]);
    expect(await listed(result)).toEqual({ b: "x" });
  });

  test("keeps a directory only with something in it", async () => {
    const tar = await packed(
      [{ name: "empty", type: "directory" }, { name: "full", type: "directory" }, { name: "full/a" }, { name: "full/b" }, { name: "last", type: "directory" }],
      "x",
    );
    const result = await rewritten(pieces(tar, 512), ({ type }) => (type === "5" ? "keep-if-filled" : "keep"));
    expect(Object.keys(await listed(result))).toEqual(["full", "full/a", "full/b"]);
  });

  test("takes contents out and puts entries behind the last one", async () => {
    const tar = await packed([{ name: "old.json" }, { name: "blob" }], "contents");
    const taken: Record<string, string> = {};
    const chunks = rewriteTar(pieces(tar, 99), {
      entry: ({ name }) => (name === "old.json" ? "take" : "capture"),
      captured: ({ name }, contents) => {
        taken[name] = contents.toString();
      },
      append: () => [tarEntry({ name: "new.json", mode: 0o644, contents: Buffer.from("{}") })],
    });
    expect(await listed(await buffer(chunks))).toEqual({ blob: "contents", "new.json": "{}" });
    expect(taken).toEqual({ "old.json": "contents", blob: "contents" });
  });

  test("refuses a stream that ends inside an entry", async () => {
    const tar = await packed([{ name: "a" }], "contents");
    await expect(rewritten(pieces(tar.subarray(0, 514), 100), () => "keep")).rejects.toThrow("ends inside an entry");
  });

  test("makes entries that others read", async () => {
    const tar = Buffer.concat([tarEntry({ name: "p", mode: 0o555, contents: Buffer.alloc(600, "z") }), tarEnd()]);
    expect(await listed(tar)).toEqual({ p: "z".repeat(600) });
  });
});

async function packed(entries: readonly (Partial<Header> & { readonly name: string })[], contents: string): Promise<Buffer> {
  const tar = pack();
  for (const entry of entries) tar.entry(entry, entry.type === undefined ? contents : "");
  tar.finalize();
  return buffer(tar);
}

async function rewritten(source: AsyncIterable<Buffer>, entry: Parameters<typeof rewriteTar>[1]["entry"]): Promise<Buffer> {
  return buffer(rewriteTar(source, { entry }));
}

async function listed(tar: Buffer): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  const reader = extract();
  reader.end(tar);
  for await (const entry of reader) found[entry.header.name] = (await buffer(entry)).toString();
  return found;
}

async function* pieces(bytes: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
