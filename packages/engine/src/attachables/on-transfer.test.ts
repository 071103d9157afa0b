import { encodeExportOptions, encodeImportOptions, encodePacket } from "@anyrunner/filesync";
import { FILE_SEND_DIFF_COPY, FILE_SYNC_DIFF_COPY } from "@anyrunner/protocol";
import { expect, test } from "vitest";
import { makeDirectory, startAttachables } from "./test-attachables.ts";

const FINISH = encodePacket({ type: "finish" });
const NO_MORE = encodePacket({ type: "stat", stat: undefined });

test.each([
  ["an exported file", FILE_SEND_DIFF_COPY, (root: string) => encodeExportOptions({ path: `${root}/new`, isFileStream: true }), []],
  ["an exported directory", FILE_SEND_DIFF_COPY, (root: string) => encodeExportOptions({ path: `${root}/new` }), [NO_MORE, FINISH]],
  ["an export that fails", FILE_SEND_DIFF_COPY, (root: string) => encodeExportOptions({ path: `${root}/new` }), [Buffer.from([0xff])]],
  ["an uploaded directory", FILE_SYNC_DIFF_COPY, (path: string) => encodeImportOptions({ path }), [FINISH]],
])("%s is told at its begin and its end", async (_, method, metadata, messages) => {
  const told: string[] = [];
  const onTransfer = () => {
    told.push("begin");
    return () => void told.push("end");
  };
  const engine = startAttachables({ onTransfer });
  await engine.call(method, metadata(makeDirectory({ file: "content" })), messages);
  expect(told).toEqual(["begin", "end"]);
});

test("a question about a file moves nothing", async () => {
  const engine = startAttachables({
    onTransfer() {
      throw new Error("no transfer was expected");
    },
  });
  const root = makeDirectory({ file: "content" });
  expect((await engine.call(FILE_SYNC_DIFF_COPY, encodeImportOptions({ path: `${root}/file`, statPathOnly: true }))).status).toBe(0);
});
