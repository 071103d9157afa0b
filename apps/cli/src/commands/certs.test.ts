import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, expect, test } from "vitest";

import { createCliHarness, type CliHarness } from "../test-cli.ts";

let cli: CliHarness;
beforeAll(async () => {
  cli = await createCliHarness();
});
afterAll(() => cli.remove());

test("certificates are made, shown and renewed", async () => {
  const folder = join(cli.home, "certs");
  const created = await cli.run(["certs", "create", "certs", "--host", "engine.example", "--host", "::1", "--days", "30"]);
  expect(created).toMatchObject({
    exitCode: 0,
    stderr: expect.stringContaining(`tls://engine.example:8443?ca_path=${folder}/ca.pem&cert_path=${folder}/client.pem`),
  });
  expect(created.stdout).toMatch(/^server +\d{4}-\d\d-\d\d +30 days +\S+server\.pem +engine\.example, ::1$/m);
  expect((await stat(folder)).mode & 0o777).toBe(0o700);

  const shown = JSON.parse((await cli.run(["certs", "show", "certs", "--json"])).stdout) as { server: { hosts: string[]; fingerprint256: string } };
  expect(shown.server.hosts).toEqual(["engine.example", "::1"]);

  const rotated = JSON.parse((await cli.run(["certs", "rotate", "certs", "--authority", "--json"])).stdout) as typeof shown & { authorities: unknown[] };
  expect(rotated.authorities.length).toBe(2);
  expect(rotated.server.hosts).toEqual(shown.server.hosts);
  expect(rotated.server.fingerprint256).not.toBe(shown.server.fingerprint256);
  expect((await readdir(folder)).length).toBe(4);
});

test.each([
  [["certs", "create", "twice"], 2, "--host"],
  [["certs", "create", "twice", "--host", "tls://x"], 2, "neither a host name nor an address"],
  [["certs", "create", "twice", "--host", "x", "--days", "soon"], 2, "--days"],
  [["certs", "show", "nowhere"], 1, "anyrunner certs create"],
] as const)("%s ends with %i", async (args, exitCode, text) => {
  expect(await cli.run(args)).toMatchObject({ exitCode, stdout: "", stderr: expect.stringContaining(text) });
});
