import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, onTestFinished, test } from "vitest";

import { countVolumes } from "./docker-volumes.ts";

/** A daemon that answers as Docker 20.10 does: while it counts, and for `refusals` more, others are refused. */
async function startDaemon(refusals: number): Promise<{ readonly host: string; calls(): number }> {
  let calls = 0;
  const server = createServer((request, response) => {
    if (!request.url?.includes("/system/df")) return void response.setHeader("Api-Version", "1.41").end("OK");
    calls++;
    if (calls <= refusals) return void response.writeHead(500).end(JSON.stringify({ message: "a disk usage operation is already running" }));
    const Volumes = [
      { Name: "a", Labels: { x: "y" }, UsageData: { Size: 5, RefCount: 1 } },
      { Name: "b", Labels: null, UsageData: { Size: -1, RefCount: 0 } },
    ];
    response.setHeader("Content-Type", "application/json").end(JSON.stringify({ Volumes }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return { host: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, calls: () => calls };
}

const endpointOf = (host: string) => ({ host, from: { kind: "flag", name: "--host" } }) as const;

test("a daemon that counts for somebody else is asked again", async () => {
  const daemon = await startDaemon(2);
  expect(await countVolumes(endpointOf(daemon.host), new AbortController().signal)).toEqual([
    { name: "a", labels: { x: "y" }, bytes: 5 },
    { name: "b", labels: {} },
  ]);
  expect(daemon.calls()).toBe(3);
});

test("all who ask for one command share one count", async () => {
  const daemon = await startDaemon(0);
  const { signal } = new AbortController();
  await Promise.all([1, 2, 3].map(() => countVolumes(endpointOf(daemon.host), signal)));
  expect(daemon.calls()).toBe(1);
});

test("an abort ends the wait for its turn", async () => {
  const daemon = await startDaemon(Number.POSITIVE_INFINITY);
  const controller = new AbortController();
  const counting = countVolumes(endpointOf(daemon.host), controller.signal);
  await expect.poll(() => daemon.calls(), { timeout: 30_000 }).toBeGreaterThan(0);
  controller.abort();
  await expect(counting).rejects.toThrow();
});
