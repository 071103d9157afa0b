import { expect, test } from "vitest";

import { duplexPair } from "../duplex-pair.ts";
import { serveEngineStream } from "../engine/serve-engine-stream.ts";
import { openHttp2Connection } from "./connection.ts";
import { readText } from "./response-body.ts";

test("an empty answer of a peer in the same process ends", async () => {
  const [near, far] = duplexPair();
  serveEngineStream(far, {
    grpc: {},
    http: async (request) => {
      request.body.resume();
      request.respond(200, { "content-length": "0" }).end();
    },
    upgrades: {},
  });
  const connection = openHttp2Connection(near);
  for (let index = 0; index < 20; index++) {
    const { status, body } = await connection.request({ method: "POST", path: "/shutdown" });
    expect([status, await readText(body, { limitBytes: 10 })]).toEqual([200, ""]);
  }
  await connection.close();
});
