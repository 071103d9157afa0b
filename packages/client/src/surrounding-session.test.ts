import { createServer, type ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { querySurroundingSession } from "./surrounding-session.ts";

async function sessionThatAnswers(answer: (response: ServerResponse) => void): Promise<{ readonly port: number; readonly token: string }> {
  const server = createServer((request, response) => {
    request.resume();
    answer(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, token: "secret" };
}

test("an answer that never ends is given up with a typed error, and its connection with it", async () => {
  const gone = Promise.withResolvers<void>();
  const session = await sessionThatAnswers((response) => {
    response.once("close", gone.resolve);
    const more = () => {
      while (!response.destroyed && response.write(Buffer.alloc(1024, "x")));
    };
    response.on("drain", more);
    more();
  });
  await expect(querySurroundingSession(session, { query: "{version}" }, { limitBytes: 64 * 1024 })).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: `the answer of the surrounding session at 127.0.0.1:${session.port} is longer than 65536 bytes`,
  });
  await gone.promise;
});

test("an answer within the limit is given", async () => {
  const session = await sessionThatAnswers((response) => response.end('{"data":{"version":"v0.21.8"}}'));
  expect(await querySurroundingSession(session, { query: "{version}" })).toEqual({ data: { version: "v0.21.8" } });
});

test("a signal ends the wait", async () => {
  const controller = new AbortController();
  const session = await sessionThatAnswers(() => controller.abort());
  await expect(querySurroundingSession(session, { query: "{version}", signal: controller.signal })).rejects.toMatchObject({ code: "ABORTED" });
});
