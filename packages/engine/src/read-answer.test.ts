import { Readable } from "node:stream";

import { expect, test } from "vitest";

import { readAnswer } from "./read-answer.ts";

test("an answer up to the limit is given whole", async () => {
  expect(await readAnswer(Readable.from([Buffer.from('{"a":'), Buffer.from('"é"}')]), { from: "x://y", limitBytes: 10 })).toBe('{"a":"é"}');
});

test("a longer one is a typed error that names who sent it, and is not read to its end", async () => {
  let sent = 0;
  const endless = Readable.from(
    (function* () {
      for (;;) {
        sent += 1;
        yield Buffer.alloc(1024);
      }
    })(),
  );
  await expect(readAnswer(endless, { from: "x://y", limitBytes: 4096 })).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: "the answer of x://y is longer than 4096 bytes",
    details: { limitBytes: 4096 },
  });
  expect(endless.destroyed).toBe(true);
  expect(sent).toBeLessThan(100);
});
