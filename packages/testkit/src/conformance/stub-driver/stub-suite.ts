import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RunnerDriver } from "@anyrunner/core";

import { startConformanceServer } from "../conformance-server.ts";
import type { DriverSuite } from "../driver-suite.ts";
import { createStubDriver } from "./stub-driver.ts";

/** The suite of the stub driver, or of one that is made from it. */
export function stubSuite(name: string, createDriver: () => RunnerDriver = createStubDriver): DriverSuite {
  return {
    name,
    createDriver,
    entry: new URL("stub-driver.ts", import.meta.url).href,
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
  };
}
