import { decodeBytesMessage, decodePacket, decodeStat, encodeImportOptions, encodePacket, type ImportOptions } from "@anyrunner/filesync";
import { FILE_SYNC_DIFF_COPY, FILE_SYNC_TAR_STREAM, GrpcStatus } from "@anyrunner/protocol";
import { describe, expect, test } from "vitest";
import { makeDirectory, startAttachables, type TestAnswer } from "./test-attachables.ts";

async function ask(options: Partial<ImportOptions>, cwd = "/"): Promise<TestAnswer> {
  return startAttachables({ cwd, home: "/home/nobody" }).call(FILE_SYNC_DIFF_COPY, encodeImportOptions(options));
}

describe("one message for one question", () => {
  test("an absolute path needs nothing on disk", async () => {
    const answer = await ask({ path: "~/x/../y", getAbsPathOnly: true });
    expect(answer.messages.map((message) => decodeStat(message).path)).toEqual(["/home/nobody/y"]);
  });

  test("the stat of a path has its base name, or the whole path when asked", async () => {
    const root = makeDirectory({ "a/file": "abc" });
    expect(decodeStat((await ask({ path: "a/file", statPathOnly: true }, root)).messages[0]!)).toMatchObject({ path: "file", size: 3 });
    expect(decodeStat((await ask({ path: "a/file", statPathOnly: true, statReturnAbsPath: true }, root)).messages[0]!)).toMatchObject({
      path: `${root}/a/file`,
    });
  });

  test("links are followed only when asked", async () => {
    const root = makeDirectory({ "a/file": "abc", link: { link: "a/file" } });
    expect(decodeStat((await ask({ path: "link", statPathOnly: true }, root)).messages[0]!)).toMatchObject({ path: "link", linkname: "a/file" });
    expect(decodeStat((await ask({ path: "link", statPathOnly: true, statResolvePath: true, statReturnAbsPath: true }, root)).messages[0]!)).toMatchObject({
      path: `${root}/a/file`,
      linkname: "",
    });
  });

  test("a file's content; an empty one is an empty message that is sent all the same", async () => {
    const root = makeDirectory({ full: "content", empty: "" });
    const limit = { readSingleFileOnly: true, maxFileSize: 3_984_588 };
    expect(Buffer.from(decodeBytesMessage((await ask({ path: "full", ...limit }, root)).messages[0]!)).toString()).toBe("content");
    expect((await ask({ path: "empty", ...limit }, root)).messages.map((message) => message.length)).toEqual([0]);
  });

  test("a file beyond the limit is an error", async () => {
    const root = makeDirectory({ full: "content" });
    expect(await ask({ path: "full", readSingleFileOnly: true, maxFileSize: 6 }, root)).toMatchObject({
      status: GrpcStatus.UNKNOWN,
      message: "file contents too large: 7 > 6",
    });
  });

  test("a glob lists what matches as a whole, directories with a slash", async () => {
    const root = makeDirectory({ "a.txt": "", "sub/b.txt": "", "sub/deep.txt/c": "", other: "" });
    const found = async (globPattern: string) => JSON.parse(Buffer.from(decodeBytesMessage((await ask({ path: root, globPattern })).messages[0]!)).toString());
    expect(await found("**/*.txt")).toEqual(["a.txt", "sub/b.txt", "sub/deep.txt/"]);
    expect(await found("*")).toEqual(["a.txt", "other", "sub/"]);
    expect(await found("none")).toEqual([]);
  });

  test("search is not implemented", async () => {
    expect((await ask({ path: "/", searchOptions: { pattern: "x" } })).status).toBe(GrpcStatus.UNIMPLEMENTED);
  });
});

describe("a path that isn't there is NOT_FOUND", () => {
  test.each([
    ["stat", { statPathOnly: true }, "stat path: lstat ROOT/none: no such file or directory"],
    [
      "resolved stat",
      { statPathOnly: true, statResolvePath: true },
      "get full root path: rpc error: code = NotFound desc = eval symlinks: lstat ROOT/none: no such file or directory",
    ],
    ["read", { readSingleFileOnly: true }, "read path: open ROOT/none: no such file or directory"],
    ["glob", { globPattern: "*" }, "glob: lstat ROOT/none: no such file or directory"],
  ] satisfies [string, Partial<ImportOptions>, string][])("%s", async (_, options, message) => {
    const root = makeDirectory();
    const answer = await ask({ path: "none", ...options }, root);
    expect({ ...answer, message: answer.message.replaceAll(root, "ROOT") }).toMatchObject({ status: GrpcStatus.NOT_FOUND, message });
  });

  test("and so is one below a file", async () => {
    const root = makeDirectory({ file: "" });
    expect((await ask({ path: "file/x", statPathOnly: true }, root)).status).toBe(GrpcStatus.NOT_FOUND);
  });
});

describe("a whole tree", () => {
  test("it goes with the options of the call, and the engine cancels when it is satisfied", async () => {
    const root = makeDirectory({ "src/a.txt": "first", "src/b.bin": "second", "src/out/c.txt": "third" });
    const stream = startAttachables({ cwd: root }).open(
      FILE_SYNC_DIFF_COPY,
      encodeImportOptions({ path: "src", includePatterns: ["**/*.txt"], excludePatterns: ["out"] }),
    );
    const packets = stream.messages[Symbol.asyncIterator]();
    const next = async () => decodePacket((await packets.next()).value as Uint8Array);
    expect(await next()).toMatchObject({ type: "stat", stat: { path: "a.txt", uid: 0 } });
    expect(await next()).toEqual({ type: "stat", stat: undefined });
    await stream.send(encodePacket({ type: "request", id: 0 }));
    expect(await next()).toEqual({ type: "data", id: 0, data: Buffer.from("first") });
    expect(await next()).toEqual({ type: "data", id: 0, data: Buffer.alloc(0) });
    stream.cancel();
  });

  test("engines before 0.19.11 get no ignored files, later ones get them marked", async () => {
    const root = makeDirectory({ ".gitignore": "*.log", "a.log": "" });
    const list = async (gitignore: "mark" | "filter") => {
      const stream = startAttachables({ cwd: root, gitignore }).open(FILE_SYNC_DIFF_COPY, encodeImportOptions({ path: ".", useGitignore: true }));
      const listed: string[] = [];
      for await (const message of stream.messages) {
        const packet = decodePacket(message);
        if (packet.type !== "stat" || packet.stat === undefined) break;
        listed.push(packet.stat.path + (packet.stat.gitIgnored ? " ignored" : ""));
      }
      stream.cancel();
      return listed;
    };
    expect(await list("mark")).toEqual([".gitignore", "a.log ignored"]);
    expect(await list("filter")).toEqual([".gitignore"]);
  });

  test("an engine of 0.14 sends plain keys, and ends with FIN", async () => {
    const root = makeDirectory({ "a b": "x", c: "" });
    const stream = startAttachables().open(FILE_SYNC_DIFF_COPY, { "dir-name": root, "include-patterns": ["a b"] });
    await stream.send(encodePacket({ type: "finish" }));
    const types: string[] = [];
    for await (const message of stream.messages) types.push(decodePacket(message).type);
    expect(types.at(-1)).toBe("finish");
  });

  // Engine 0.14 takes an error packet's text for the whole reason, so that there must be none.
  test.each([
    ["a tree that isn't there", "none", "resolve : lstat ROOT/none: no such file or directory"],
    ["a tree that is a file", "file", "stat ROOT/file: not a directory"],
  ])("%s is a status and no packet, as the official client's", async (_, path, message) => {
    const root = makeDirectory({ file: "" });
    const answer = await startAttachables().call(FILE_SYNC_DIFF_COPY, { "dir-name": `${root}/${path}` });
    expect({ ...answer, message: answer.message.replaceAll(root, "ROOT") }).toEqual({ status: GrpcStatus.UNKNOWN, message, messages: [] });
  });

  test("an error of the receiver is a status with its text", async () => {
    const root = makeDirectory({ a: "" });
    const answer = await startAttachables().call(FILE_SYNC_DIFF_COPY, encodeImportOptions({ path: root }), [encodePacket({ type: "error", message: "boom" })]);
    expect(answer).toMatchObject({ status: GrpcStatus.UNKNOWN, message: "error from receiver: boom" });
  });

  test("a bad pattern is a status that names it", async () => {
    expect(await ask({ path: "/", includePatterns: ["a["] })).toMatchObject({ status: GrpcStatus.UNKNOWN, message: 'syntax error in pattern "a["' });
  });
});

test("a tar stream is refused", async () => {
  expect(await startAttachables().call(FILE_SYNC_TAR_STREAM)).toMatchObject({ status: GrpcStatus.UNKNOWN, message: "tarstream not supported" });
});
