import { once } from "node:events";
import { PassThrough } from "node:stream";

import { expect, test } from "vitest";

import { createRelayStream } from "./relay-stream.ts";

test("destroying it closes the program's output before its input, which shows that the end of the input finishes nothing", async () => {
  const order: string[] = [];
  const half = (name: string) => new PassThrough({ destroy: (error, callback) => (order.push(name), callback(error)) });
  const stream = createRelayStream({ output: half("output"), input: half("input") });
  stream.destroy();
  await once(stream, "close");
  expect(order).toEqual(["output", "input"]);
});
