import { chmodSync, existsSync, linkSync, lstatSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { encodeBytesMessage, encodeExportOptions, encodePacket, fileStat, MODE, type ExportOptions } from "@anyrunner/filesync";
import { FILE_SEND_DIFF_COPY, GrpcStatus } from "@anyrunner/protocol";
import { describe, expect, test } from "vitest";
import { makeDirectory, startAttachables, type TestAnswer } from "./test-attachables.ts";

/** Sends the pieces of one file, as the engine does. */
async function sendFile(options: Partial<ExportOptions>, pieces: readonly string[] = ["con", "", "tent"]): Promise<TestAnswer> {
  const messages = pieces.map((piece) => Buffer.concat(encodeBytesMessage(Buffer.from(piece))));
  return startAttachables().call(FILE_SEND_DIFF_COPY, encodeExportOptions({ isFileStream: true, ...options }), messages);
}

const OK: TestAnswer = { messages: [], status: 0, message: "" };
const read = (...path: string[]) => readFileSync(join(...path), "utf8");
const modeOf = (...path: string[]) => statSync(join(...path)).mode & 0o7777;

describe("a file", () => {
  test("is written with its parents, mode 0600 unless another is given", async () => {
    const root = makeDirectory();
    expect(await sendFile({ path: `${root}/new/deep/file` })).toEqual(OK);
    expect(read(root, "new/deep/file")).toBe("content");
    expect(modeOf(root, "new/deep/file")).toBe(0o600);
    expect(modeOf(root, "new")).toBe(0o700);
    expect(await sendFile({ path: `${root}/program`, fileMode: 0o755 })).toEqual(OK);
    expect(modeOf(root, "program")).toBe(0o755 & ~process.umask());
  });

  test("without any message is an empty file", async () => {
    const root = makeDirectory();
    expect(await sendFile({ path: `${root}/empty` }, [])).toEqual(OK);
    expect(read(root, "empty")).toBe("");
  });

  test("replaces an existing one at one stroke and keeps its mode", async () => {
    const root = makeDirectory({ file: "old and longer" });
    chmodSync(join(root, "file"), 0o640);
    const before = statSync(join(root, "file")).ino;
    expect(await sendFile({ path: `${root}/file`, fileMode: 0o755 })).toEqual(OK);
    expect(read(root, "file")).toBe("content");
    expect(modeOf(root, "file")).toBe(0o640);
    expect(statSync(join(root, "file")).ino).not.toBe(before);
    expect(readdirSync(root)).toEqual(["file"]);
  });

  test("goes through a symbolic link, which stays", async () => {
    const root = makeDirectory({ "real/file": "old", link: { link: "real/file" } });
    expect(await sendFile({ path: `${root}/link` })).toEqual(OK);
    expect(lstatSync(join(root, "link")).isSymbolicLink()).toBe(true);
    expect(read(root, "real/file")).toBe("content");
    expect(readdirSync(join(root, "real"))).toEqual(["file"]);
  });

  test("makes the target of a link that leads nowhere yet", async () => {
    const root = makeDirectory({ link: { link: "later" } });
    expect(await sendFile({ path: `${root}/link` })).toEqual(OK);
    expect(read(root, "later")).toBe("content");
  });

  test("with several hard links is written in place, for all of them", async () => {
    const root = makeDirectory({ file: "old and longer" });
    linkSync(join(root, "file"), join(root, "other"));
    expect(await sendFile({ path: `${root}/file` })).toEqual(OK);
    expect(read(root, "other")).toBe("content");
  });

  test("what isn't a file is written to as it is", async () => {
    expect(await sendFile({ path: "/dev/null" })).toEqual(OK);
    expect(lstatSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  test("an existing directory is an error, unless its use is allowed", async () => {
    const root = makeDirectory({ dir: null });
    const path = `${root}/dir`;
    expect(await sendFile({ path, fileOriginalName: "name" })).toMatchObject({
      status: GrpcStatus.UNKNOWN,
      message: `destination "${path}" is a directory; must be a file path unless allowParentDirPath is set`,
    });
    expect(await sendFile({ path, fileOriginalName: "name", allowParentDirPath: true })).toEqual(OK);
    expect(read(path, "name")).toBe("content");
    expect(await sendFile({ path, allowParentDirPath: true })).toMatchObject({ message: `cannot export container tar to existing directory "${path}"` });
  });

  test("what can't be written is told in the system's words", async () => {
    const root = makeDirectory({ file: "", "dir/name": null });
    const aFile = await sendFile({ path: `${root}/file/below` });
    expect(aFile).toMatchObject({ status: GrpcStatus.UNKNOWN, message: `mkdir ${root}/file: file exists` });
    const aDirectory = await sendFile({ path: `${root}/dir`, fileOriginalName: "name", allowParentDirPath: true });
    expect(aDirectory).toMatchObject({ status: GrpcStatus.UNKNOWN, message: `open ${root}/dir/name: is a directory` });
  });

  test("an original name can't lead out of the directory", async () => {
    const root = makeDirectory({ dir: null });
    expect(await sendFile({ path: `${root}/dir`, fileOriginalName: "../../escape", allowParentDirPath: true })).toEqual(OK);
    expect(readdirSync(root)).toEqual(["dir"]);
    expect(readdirSync(join(root, "dir"))).toEqual(["escape"]);
    expect((await sendFile({ path: `${root}/dir`, fileOriginalName: "..", allowParentDirPath: true })).status).toBe(GrpcStatus.UNKNOWN);
  });

  test("a cancelled transfer leaves the old file and nothing else", async () => {
    const root = makeDirectory({ file: "old" });
    const engine = startAttachables();
    const stream = engine.open(FILE_SEND_DIFF_COPY, encodeExportOptions({ path: `${root}/file`, isFileStream: true }));
    await stream.send(Buffer.concat(encodeBytesMessage(Buffer.alloc(1000))));
    while (readdirSync(root).length < 2) await new Promise(setImmediate);
    stream.cancel();
    await engine.attachables.close();
    expect(readdirSync(root)).toEqual(["file"]);
    expect(read(root, "file")).toBe("old");
  });

  test("bytes that are no message fail the call", async () => {
    const root = makeDirectory();
    const answer = await startAttachables().call(FILE_SEND_DIFF_COPY, encodeExportOptions({ path: `${root}/file`, isFileStream: true }), [
      Buffer.from("0aff", "hex"),
    ]);
    expect(answer).toMatchObject({ status: GrpcStatus.UNKNOWN, message: expect.stringContaining("malformed") });
    expect(readdirSync(root)).toEqual([]);
  });
});

describe("a directory", () => {
  const listing = (path: string) => [
    encodePacket({ type: "stat", stat: fileStat({ path, mode: (MODE.DIRECTORY | 0o755) >>> 0 }) }),
    encodePacket({ type: "stat", stat: undefined }),
    encodePacket({ type: "finish" }),
  ];

  test("is made private, with what the listing says in it", async () => {
    const root = makeDirectory();
    const answer = await startAttachables().call(FILE_SEND_DIFF_COPY, encodeExportOptions({ path: `${root}/new/dir`, merge: true }), listing("sub"));
    expect(answer).toMatchObject({ status: 0, messages: [encodePacket({ type: "finish" })] });
    expect(modeOf(root, "new/dir")).toBe(0o700);
    expect(readdirSync(join(root, "new/dir"))).toEqual(["sub"]);
  });

  test("named pipes are made; a device that may not be is named", async () => {
    const root = makeDirectory({ dir: null });
    const send = (mode: number) => {
      const messages = [encodePacket({ type: "stat", stat: fileStat({ path: "p", mode: (mode | 0o644) >>> 0, devmajor: 1 << 20 }) }), ...listing("x").slice(1)];
      return startAttachables().call(FILE_SEND_DIFF_COPY, encodeExportOptions({ path: `${root}/dir`, merge: true }), messages);
    };
    expect(await send(MODE.NAMED_PIPE)).toMatchObject({ status: 0 });
    expect(lstatSync(join(root, "dir/p")).isFIFO()).toBe(true);
    expect(await send(MODE.DEVICE)).toMatchObject({ status: GrpcStatus.UNKNOWN, message: expect.stringContaining("can't create p: ") });
    expect(readdirSync(join(root, "dir"))).toEqual(["p"]);
  });

  test("a file in its place is an error that names it", async () => {
    const root = makeDirectory({ file: "" });
    const answer = await startAttachables().call(FILE_SEND_DIFF_COPY, encodeExportOptions({ path: `${root}/file`, merge: true }), listing("sub"));
    expect(answer).toMatchObject({ status: GrpcStatus.UNKNOWN, message: `failed to receive fs changes: mkdir ${root}/file: file exists` });
  });

  test("a hostile listing is a status, and nothing is written", async () => {
    const root = makeDirectory({ dir: null });
    const answer = await startAttachables().call(FILE_SEND_DIFF_COPY, encodeExportOptions({ path: `${root}/dir`, merge: true }), listing("../escape"));
    expect(answer).toMatchObject({ status: GrpcStatus.UNKNOWN, message: 'failed to receive fs changes: refused path "../escape": it leaves the root' });
    expect(existsSync(join(root, "escape"))).toBe(false);
  });
});

describe("paths that are removed first", () => {
  const tree = { "dir/file": "", "dir/sub/x": "", "dir/sub/y/z": "", "dir/empty": null, "dir/link": { link: "../outside" }, "outside/kept": "" };

  async function remove(root: string, removePaths: readonly string[]): Promise<TestAnswer> {
    return sendFile({ path: `${root}/dir/new`, removePaths: [] }).then(() =>
      startAttachables().call(FILE_SEND_DIFF_COPY, encodeExportOptions({ path: `${root}/dir`, merge: true, removePaths }), [
        encodePacket({ type: "stat", stat: undefined }),
        encodePacket({ type: "finish" }),
      ]),
    );
  }

  test("files, empty directories, and with a slash whole directories; what is missing is fine", async () => {
    const root = makeDirectory(tree);
    expect((await remove(root, ["file", "sub/", "empty", "none", "none/x", "link"])).status).toBe(0);
    expect(readdirSync(join(root, "dir"))).toEqual(["new"]);
    expect(readdirSync(join(root, "outside"))).toEqual(["kept"]);
  });

  test.each([
    ["/etc/passwd", "absolute paths are not allowed"],
    ["..", "escapes export root"],
    ["../outside/kept", "escapes export root"],
    ["sub/../../outside/", "escapes export root"],
    [".", "escapes export root"],
    ["./", "escapes export root"],
    ["sub\\x", "backslashes are not allowed"],
    ["link/kept", "it goes through a symbolic link"],
    ["sub", "not empty"],
  ])("%s is refused", async (path, why) => {
    const root = makeDirectory(tree);
    expect(await remove(root, [path])).toMatchObject({ status: GrpcStatus.UNKNOWN, message: expect.stringContaining(why) });
    expect(readdirSync(join(root, "outside"))).toEqual(["kept"]);
    expect(existsSync(join(root, "dir/sub/x"))).toBe(true);
  });
});
