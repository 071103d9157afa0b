import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Check } from "@anyrunner/engine-container";
import { afterAll, beforeAll, expect, test } from "vitest";

import { createContext } from "../command-context.ts";
import { asksForGpus, checkGpus } from "./gpu-checks.ts";

/** A daemon with NVIDIA's runtime, by the words of Docker's documentation. */
const server = createServer((request, response) => {
  const path = request.url ?? "";
  if (path === "/_ping") response.writeHead(200, { "api-version": "1.41" }).end("OK");
  else if (path.endsWith("/info")) response.end(JSON.stringify({ ServerVersion: "20.10.24", Runtimes: { runc: {}, nvidia: {} }, DefaultRuntime: "runc" }));
  else response.end(JSON.stringify({ Components: [{ Name: "Engine" }] }));
});
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
});
afterAll(async () => {
  server.closeAllConnections();
  server.close();
  await rm(folder, { recursive: true, force: true });
});

async function check(listen: string | undefined): Promise<readonly Check[]> {
  await new Promise<void>((resolve) => {
    if (listen === undefined) server.listen(0, "127.0.0.1", resolve);
    else server.listen(listen, resolve);
  });
  const host = listen === undefined ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${listen}`;
  const checks: Check[] = [];
  const recording = { record: (one: Check) => void checks.push(one), signal: new AbortController().signal };
  await checkGpus(createContext({}, "0.0.0"), { host, from: { kind: "flag", name: "host" } }, recording);
  server.closeAllConnections();
  await new Promise((resolve) => {
    server.close(resolve);
  });
  return checks;
}

const DAEMON = { id: "gpu.daemon", status: "ok", detail: "Docker 20.10.24 has the runtime nvidia" };

test("a daemon of this machine: each layer, whatever it has", async () => {
  const checks = await check(join(folder, "docker.sock"));
  expect(checks.map(({ id }) => id)).toEqual(["gpu.kernel", "gpu.devices", "gpu.driver", "gpu.toolkit", "gpu.cdi", "gpu.daemon"]);
  expect(checks.at(-1)).toEqual(DAEMON);
});

test("a daemon elsewhere: what it says of itself, alone", async () => {
  expect(await check(undefined)).toEqual([DAEMON]);
});

test.each([
  ["docker-image://engine:1?gpus=all", true],
  ["docker-image://engine:1?pull=never", false],
  ["lab", false],
])("%s asks for GPUs: %s", (url, expected) => {
  expect(asksForGpus(url)).toBe(expected);
});
