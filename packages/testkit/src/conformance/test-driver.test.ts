import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { startConformanceServer } from "./conformance-server.ts";
import { createStubDriver } from "./stub-driver/stub-driver.ts";
import { testDriver } from "./test-driver.ts";

testDriver({
  name: "stub driver",
  createDriver: createStubDriver,
  entry: new URL("stub-driver/stub-driver.ts", import.meta.url).href,
  sdkModules: ["dockerode"],
  badUrls: ["stub://relative", { url: "stub:///x?tokn=1", code: "INVALID_OPTION" }],
  absentUrls: ["stub:///no/such/socket"],
  target: async () => {
    const directory = await mkdtemp(join(tmpdir(), "conformance-"));
    const server = await startConformanceServer({ path: join(directory, "s.sock") });
    return {
      url: `stub://${server.address}?token=tok-5ecret-value`,
      secrets: ["tok-5ecret-value"],
      kill: () => server.kill(),
      leftovers: () => Promise.resolve(server.connectionCount()),
      close: async () => {
        await server.kill();
        await rm(directory, { recursive: true, force: true });
      },
    };
  },
});
