import { Readable } from "node:stream";

import type { DockerClient, DockerRequest } from "@anyrunner/docker-endpoint";
import { expect, test } from "vitest";

import type { ContainerDetails } from "./container.ts";
import { isDraining, liftDrain, markDraining } from "./drain-mark.ts";

const engine = (role = "engine") =>
  ({ Id: "one", Config: { Labels: { "dev.anyrunner.role": role } }, HostConfig: {}, State: { Status: "running" } }) as unknown as ContainerDetails;

/** A daemon with one container, and what it was asked. */
function createClient(container: ContainerDetails) {
  const asked: DockerRequest[] = [];
  let current = container;
  const request = async (sent: DockerRequest) => {
    asked.push(sent);
    if (sent.method === "POST") current = { ...current, HostConfig: sent.json as object };
    return { status: 200, body: Readable.from([Buffer.from(JSON.stringify(current))]) };
  };
  return { client: { request } as unknown as DockerClient, asked, current: () => current };
}

test("no question to the daemon goes without a budget, since no abort cuts it", async () => {
  const { client, asked, current } = createClient(engine());
  expect(await markDraining(client, current())).toBe(true);
  expect(isDraining(current())).toBe(true);
  await liftDrain(client, current());
  expect(isDraining(current())).toBe(false);
  expect(asked.length).toBeGreaterThan(2);
  expect(asked.map(({ signal }) => signal)).toEqual(asked.map(() => expect.any(AbortSignal)));
});

test("what we did not make is not marked", async () => {
  const { client, asked, current } = createClient(engine("other"));
  expect(await markDraining(client, current())).toBe(false);
  expect(asked).toEqual([]);
});
