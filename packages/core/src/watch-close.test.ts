import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";

import { expect, test } from "vitest";

import { RunnerError } from "./runner-error.ts";
import { watchClose } from "./watch-close.ts";

test("a far end that finished is an end, though the stream was destroyed after that", async () => {
  const stream = new PassThrough({ autoDestroy: false });
  const closed = watchClose(stream);
  stream.end("last words");
  stream.resume();
  await once(stream, "end");
  stream.destroy();
  expect(await closed).toEqual({ kind: "end" });
});

test("a stream that is destroyed before its far end has finished was ended here", async () => {
  const stream = new PassThrough();
  const closed = watchClose(stream);
  stream.write("unread");
  stream.destroy();
  expect(await closed).toEqual({ kind: "local" });
});

test("a stream that breaks says how", async () => {
  const broken = new Error("cut");
  const stream = new Duplex({ read() {}, write() {} });
  const closed = watchClose(stream);
  stream.destroy(broken);
  expect(await closed).toEqual({ kind: "error", error: broken });
});

test("what broke it becomes an error of the driver's", async () => {
  const stream = new PassThrough();
  const closed = watchClose(stream, (cause) => new RunnerError("CONNECTION_LOST", "the proxy cut the connection", { cause }));
  stream.destroy(new Error("cut"));
  expect(await closed).toMatchObject({ kind: "error", error: { code: "CONNECTION_LOST", cause: { message: "cut" } } });
});
