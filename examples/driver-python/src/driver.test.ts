import { startConformanceServer } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";

import { startConnectProxy } from "./connect-proxy.fixture.ts";
import { driver } from "./index.ts";

const PASSWORD = "pr0xy-passw0rd-31";

/** Once for each way in which `connect` gives its stream. */
for (const how of ["stdio", "loopback"]) {
  testDriver({
    name: `proxy, a program in Python, ${how}`,
    createDriver: () => driver,
    entry: new URL("index.ts", import.meta.url).href,
    badUrls: [
      "proxy://?via=localhost:1",
      "proxy://engine?via=localhost:1",
      "proxy://engine:99999?via=localhost:1",
      { url: "proxy://engine:1", code: "INVALID_OPTION" },
      { url: "proxy://engine:1?via=nonsense", code: "INVALID_OPTION" },
      { url: "proxy://engine:1?via=localhost:1&how=pigeon", code: "INVALID_OPTION" },
    ],
    absentUrls: ["proxy://127.0.0.1:1?via=127.0.0.1:1"],
    target: async () => {
      const server = await startConformanceServer();
      const proxy = await startConnectProxy(`me:${PASSWORD}`);
      return {
        url: `proxy://${server.address}?via=${proxy.address}&user=me&password=${PASSWORD}&how=${how}`,
        kill: () => server.kill(),
        leftovers: async () => server.connectionCount(),
        close: async () => {
          await server.kill();
          await proxy.close();
        },
        secrets: [PASSWORD],
      };
    },
  });
}
