import { spawnSync } from "node:child_process";

import { testDriver } from "@anyrunner/testkit/vitest";

import { driver } from "./index.ts";
import { makeTestRunner } from "./test-far-end.ts";

const hasSocat = spawnSync("socat", ["-V"]).status === 0;

/** Once through socat, and once with the socket that anyrunner dials itself. */
for (const direct of [false, true]) {
  testDriver({
    name: `socat, a program in shell, ${direct ? "direct" : "stdio"}`,
    createDriver: () => driver,
    entry: new URL("index.ts", import.meta.url).href,
    ...(!hasSocat && { skip: "there is no socat here" }),
    badUrls: [
      "socat://",
      "socat://EXEC:reboot",
      "socat://UNIX-CONNECT:/x,fork",
      'socat://UNIX-CONNECT:/"x',
      { url: "socat://TCP:localhost:1?direct=true", code: "INVALID_OPTION" },
      { url: "socat://UNIX-CONNECT:/x?direct=maybe", code: "INVALID_OPTION" },
    ],
    absentUrls: ["socat://UNIX-CONNECT:/no/such/engine.sock", "socat://TCP4:127.0.0.1:1"],
    target: () => makeTestRunner(direct),
  });
}
