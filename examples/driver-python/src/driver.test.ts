import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { parseRunnerUrl } from "@anyrunner/core";
import { startConformanceServer } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";
import { expect, test } from "vitest";

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
    // Three TCP connections lie in a row, and each has two buffers that the kernel lets grow.
    inFlightLimitBytes: 96 * 1024 * 1024,
    target: async () => {
      const folder = await mkdtemp(path.join(tmpdir(), "proxy-"));
      const file = path.join(folder, "password");
      await writeFile(file, `${PASSWORD}\n`);
      const server = await startConformanceServer();
      const proxy = await startConnectProxy(`me:${PASSWORD}`);
      return {
        url: `proxy://${server.address}?via=${proxy.address}&user=me&password_path=${file}&how=${how}`,
        kill: () => server.kill(),
        leftovers: async () => server.connectionCount(),
        close: async () => {
          await server.kill();
          await proxy.close();
          await rm(folder, { recursive: true, force: true });
        },
        secrets: [PASSWORD],
      };
    },
  });
}

test("a password in the URL reaches the program by standard input, and is neither in target nor in handle; a stored handle comes without it", async () => {
  await using server = await startConformanceServer();
  const proxy = await startConnectProxy(`me:${PASSWORD}`);
  try {
    const target = await driver.parse(parseRunnerUrl(`proxy://${server.address}?via=${proxy.address}&user=me&password=${PASSWORD}`));
    const handle = await driver.provision(target, {});
    expect(JSON.stringify([target, handle])).not.toContain(PASSWORD);
    const { stream, closed } = await driver.connect(handle, {});
    stream.destroy();
    await closed;
    await expect(driver.connect({ ...handle }, {})).rejects.toMatchObject({ code: "AUTH_FAILED", hint: "give user=NAME and password_path=FILE" });
  } finally {
    await proxy.close();
  }
});
