import { PassThrough } from "node:stream";
import { decodeBytesMessage, encodeBytesMessage } from "@anyrunner/filesync";
import { GrpcStatus, Pipe } from "@anyrunner/protocol";
import { expect, test } from "vitest";
import { startAttachables } from "./test-attachables.ts";

test("without streams there is no pipe", async () => {
  expect(await startAttachables().call(Pipe.io.path)).toMatchObject({ status: GrpcStatus.UNIMPLEMENTED });
});

test.each([Pipe.io.path, "/Pipe/IO"])("%s carries bytes both ways and leaves the streams open", async (path) => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const engine = startAttachables({ pipe: { input, output } });
  const stream = engine.open(path);
  const messages = stream.messages[Symbol.asyncIterator]();
  input.write("question");
  expect(Buffer.from(decodeBytesMessage((await messages.next()).value as Uint8Array)).toString()).toBe("question");
  await stream.send(encodeBytesMessage(Buffer.from("answer")));
  stream.end();
  expect((await messages.next()).done).toBe(true);
  expect(String(output.read())).toBe("answer");
  expect([output.writable, input.readable, input.listenerCount("data")]).toEqual([true, true, 0]);
});

test("cancelling ends it", async () => {
  const [input, output] = [new PassThrough(), new PassThrough()];
  const engine = startAttachables({ pipe: { input, output } });
  const stream = engine.open(Pipe.io.path);
  input.write("x");
  await stream.messages[Symbol.asyncIterator]().next();
  stream.cancel();
  await engine.attachables.close();
  expect(input.listenerCount("data")).toBe(0);
});
