import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createDockerClient, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";
import { ensureBusyboxImage } from "@anyrunner/testkit";
import { describe, expect, test } from "vitest";

import { folderBytes } from "./folder-bytes.ts";
import { pruneEmbedded, readEmbeddedDisk } from "./embedded-disk.ts";

const skipReason = process.env["ANYRUNNER_TEST_DOCKER"] === "skip" ? "ANYRUNNER_TEST_DOCKER=skip" : undefined;

describe.skipIf(skipReason !== undefined)(`what the embedded runner keeps, real daemon${skipReason === undefined ? "" : ` (${skipReason})`}`, () => {
  test("images, volumes and folders are counted; what nothing needs is removed, and nothing else", async () => {
    const docker = await resolveDockerEndpoint({ env: process.env });
    const client = createDockerClient(docker);
    const state = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
    const maker = `dead-${randomUUID()}`;
    // Others' images on this daemon are none of this test's.
    const processes = { own: async () => "", isDead: async (label: string) => label === maker };
    const commit = async (query: object) => {
      const { Id: container } = await client.json<{ readonly Id: string }>({
        method: "POST",
        path: "/containers/create",
        json: { Image: await ensureBusyboxImage(), Labels: { "anyrunner.owner": "embedded", "anyrunner.process": maker } },
      });
      const { Id: id } = await client.json<{ readonly Id: string }>({ method: "POST", path: "/commit", query: { container, ...query }, json: {} });
      (await client.request({ method: "DELETE", path: `/containers/${container}` })).body.resume();
      return id;
    };
    const exists = async (id: string) => {
      const { status, body } = await client.request({ path: `/images/${id}/json`, expect: [404] });
      body.resume();
      return status === 200;
    };
    const tag = `test-${randomUUID()}`;
    const named = await commit({ repo: "anyrunner-embedded", tag });
    try {
      const unnamed = await commit({ comment: tag });
      await mkdir(join(state, "blobs", "aa"), { recursive: true });
      await writeFile(join(state, "blobs", "aa", "bb"), Buffer.alloc(10_000));
      const items = await readEmbeddedDisk({ docker, state, processes });
      expect(items).toContainEqual(expect.objectContaining({ kind: "images", name: "anyrunner-embedded", prunable: true, count: expect.any(Number) }));
      expect(items.find(({ name }) => name === join(state, "blobs"))?.bytes).toBeGreaterThanOrEqual(8192);
      expect((await pruneEmbedded({ docker, processes }, { dryRun: true })).images).toBeGreaterThanOrEqual(1);
      expect(await exists(unnamed)).toBe(true);
      expect((await pruneEmbedded({ docker, processes }, { dryRun: false })).images).toBeGreaterThanOrEqual(1);
      expect([await exists(unnamed), await exists(named)]).toEqual([false, true]);
    } finally {
      (await client.request({ method: "DELETE", path: `/images/anyrunner-embedded:${tag}`, expect: [404] })).body.resume();
      await rm(state, { recursive: true });
      client.close();
    }
  });
});

test("without a daemon the folders are counted still; a folder that isn't there is empty", async () => {
  const docker = await resolveDockerEndpoint({ env: { DOCKER_HOST: "unix:///no/such/docker.sock" } });
  const items = await readEmbeddedDisk({ docker, state: "/no/such/folder" });
  expect(items.map(({ kind, bytes }) => [kind, bytes])).toEqual([
    ["folder", 0],
    ["folder", 0],
    ["folder", 0],
  ]);
  await expect(folderBytes("/", AbortSignal.abort())).rejects.toThrow();
});
