import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { RunnerEvent } from "@anyrunner/core";
import { afterAll, expect, test } from "vitest";

import { readEngineFiles, readRemoteEngineFiles } from "./read-engine-files.ts";

const home = mkdtempSync(join(tmpdir(), "anyrunner-test-files-"));
const config = join(home, "dagger", "engine.json");
const ca = join(home, "dagger", "ca-certificates");
mkdirSync(ca, { recursive: true });
writeFileSync(config, "{}");
afterAll(() => rmSync(home, { recursive: true }));
const env = { XDG_CONFIG_HOME: home };
const nobody = { XDG_CONFIG_HOME: join(home, "empty") };

test("the user's own files, with a digest of the configuration", async () => {
  expect(await readEngineFiles({}, { env })).toEqual({
    configPath: config,
    configDigest: expect.stringMatching(/^[0-9a-f]{16}$/),
    ca: { path: ca, kind: "folder" },
  });
  expect(await readEngineFiles({}, { env: nobody })).toEqual({});
  expect(await readEngineFiles({ config: "none", ca: "none" }, { env })).toEqual({});
});

test("a file that is named must be there", async () => {
  expect(await readEngineFiles({ ca: config, config: "none" }, { env: nobody })).toEqual({ ca: { path: config, kind: "file" } });
  await expect(readEngineFiles({ config: "/no/such" }, { env })).rejects.toMatchObject({ code: "INVALID_OPTION", details: { parameter: "config" } });
  await expect(readEngineFiles({ ca: "/no/such" }, { env })).rejects.toMatchObject({ code: "INVALID_OPTION", details: { parameter: "ca" } });
});

test("on another machine named paths are that machine's, and what isn't sent there is told", async () => {
  const events: RunnerEvent[] = [];
  const report = (event: RunnerEvent) => void events.push(event);
  const where = "the machine";
  expect(await readRemoteEngineFiles({ config: "/etc/there.json", ca: "/etc/there.pem" }, { env, where, report })).toEqual({
    configPath: "/etc/there.json",
    ca: { path: "/etc/there.pem", kind: "file" },
  });
  expect(events).toEqual([]);
  expect(await readRemoteEngineFiles({ ca: "/etc/certs" }, { env, where, report })).toEqual({ ca: { path: "/etc/certs", kind: "folder" } });
  expect(events).toMatchObject([{ type: "warning", message: `the machine is another machine: the engine doesn't get ${config}` }]);
});
