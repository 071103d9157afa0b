import { Health, ServingStatus } from "@anyrunner/protocol";
import { expect, test } from "vitest";
import { startAttachables } from "./test-attachables.ts";

test("a check says serving", async () => {
  const { messages, status } = await startAttachables().call("/grpc.health.v1.Health/Check", {}, [new Uint8Array()]);
  expect(status).toBe(0);
  const codec = await Health.check.codec();
  expect(messages.map((message) => codec.decodeResponse(message).status)).toEqual([ServingStatus.SERVING]);
});

test("the list has the one nameless service", async () => {
  const { messages, status } = await startAttachables().call("/grpc.health.v1.Health/List", {}, [new Uint8Array()]);
  expect(status).toBe(0);
  expect(messages.map((message) => Buffer.from(message).toString("hex"))).toEqual(["0a060a0012020801"]);
});

test("a watch says it once and stays until it is cancelled", async () => {
  const stream = startAttachables().open("/grpc.health.v1.Health/Watch");
  await stream.send(new Uint8Array());
  stream.end();
  const messages = stream.messages[Symbol.asyncIterator]();
  expect((await messages.next()).value).toEqual(Buffer.from([8, 1]));
  const next = messages.next();
  stream.cancel();
  await expect(next).rejects.toMatchObject({ statusName: "CANCELLED" });
});
