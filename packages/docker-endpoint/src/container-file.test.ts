import { randomUUID } from "node:crypto";

import { ensureBusyboxImage } from "@anyrunner/testkit";
import { expect, test } from "vitest";

import { readContainerFile, writeContainerFile } from "./container-file.ts";
import { createDockerClient } from "./docker-client.ts";
import { resolveDockerEndpoint } from "./resolve-endpoint.ts";

test.skipIf(process.env["ANYRUNNER_TEST_DOCKER"] === "skip")("a file is written into a container that does not run yet, and read back", async () => {
  const client = createDockerClient(await resolveDockerEndpoint({ env: process.env }));
  const name = `anyrunner-test-${randomUUID().slice(0, 8)}`;
  try {
    await client.json({ method: "POST", path: "/containers/create", query: { name }, json: { Image: await ensureBusyboxImage() } });
    expect(await readContainerFile(client, name, "/tmp/engine.json", {})).toBeUndefined();
    for (const text of ['{"gc":{}}\n', "x".repeat(1024), ""]) {
      await writeContainerFile(client, name, { folder: "/", name: "engine.json", text }, {});
      expect(await readContainerFile(client, name, "/engine.json", {})).toBe(text);
    }
    await expect(writeContainerFile(client, name, { folder: "/no/such", name: "x", text: "" }, {})).rejects.toMatchObject({ code: "NOT_FOUND" });
  } finally {
    (await client.request({ method: "DELETE", path: `/containers/${name}`, query: { force: true }, expect: [404] })).body.resume();
    client.close();
  }
});
