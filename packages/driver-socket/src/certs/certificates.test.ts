import { X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createCertificates, inspectCertificates, rotateCertificates } from "./certificates.ts";

const NOW = new Date("2026-01-01T00:00:00Z");

let root: string;
let folder: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  folder = join(root, "certs");
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe("create", () => {
  test("makes private files and says what they are", async () => {
    const made = await createCertificates({ folder, hosts: ["engine.example", "*.lan", "10.0.0.1", "2001:db8::a:1"], days: 90, now: NOW });
    expect((await readdir(folder)).toSorted()).toEqual(["ca-key.pem", "ca.pem", "client.pem", "server.pem"]);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    expect(made).toMatchObject({
      folder,
      authorities: [{ validTo: "2035-12-30T00:00:00.000Z", hosts: [] }],
      server: {
        file: join(folder, "server.pem"),
        hosts: ["engine.example", "*.lan", "10.0.0.1", "2001:db8::a:1"],
        daysLeft: 90,
        validTo: "2026-04-01T00:00:00.000Z",
      },
      client: { hosts: [], daysLeft: 90 },
    });
    expect(await inspectCertificates({ folder, now: NOW })).toEqual(made);
    expect(await readdir(root)).toEqual(["certs"]);
  });

  test("signs what OpenSSL accepts", async () => {
    await createCertificates({ folder, hosts: ["localhost", "::1"] });
    const [authority, server, client] = await Promise.all(["ca.pem", "server.pem", "client.pem"].map(read));
    expect(authority?.ca).toBe(true);
    expect(authority?.verify(authority.publicKey)).toBe(true);
    for (const leaf of [server, client]) {
      expect(leaf?.ca).toBe(false);
      expect(leaf?.checkIssued(authority as X509Certificate)).toBe(true);
      expect(leaf?.verify((authority as X509Certificate).publicKey)).toBe(true);
    }
    expect(server?.checkHost("localhost")).toBe("localhost");
    expect(server?.checkIP("::1")).toBe("::1");
    expect(server?.keyUsage).toEqual(["1.3.6.1.5.5.7.3.1"]);
    expect(client?.keyUsage).toEqual(["1.3.6.1.5.5.7.3.2"]);
  });

  test("leaves what is there alone", async () => {
    await mkdir(folder);
    await writeFile(join(folder, "mine"), "");
    await expect(createCertificates({ folder, hosts: ["a"] })).rejects.toMatchObject({ code: "ALREADY_EXISTS", hint: expect.stringContaining("rotate") });
    expect(await readdir(root)).toEqual(["certs"]);
    expect(await readdir(folder)).toEqual(["mine"]);
  });

  test.each([[], ["tls://engine"], ["engine:8443"], ["-x"], [""], ["a", "b c"]])("refuses the hosts %s", async (...hosts) => {
    await expect(createCertificates({ folder, hosts })).rejects.toMatchObject({ code: "USAGE" });
    expect(await readdir(root)).toEqual([]);
  });

  test.each([0, -1, 1.5, Number.NaN, 100_000])("refuses %s days", async (days) => {
    await expect(createCertificates({ folder, hosts: ["a"], days })).rejects.toMatchObject({ code: "USAGE" });
  });
});

describe("rotate", () => {
  test("renews both sides for the same hosts, by the same authority", async () => {
    const old = await createCertificates({ folder, hosts: ["a.example", "::1"], days: 10, now: NOW });
    const renewed = await rotateCertificates({ folder, days: 20, now: NOW });
    expect(renewed.authorities).toEqual(old.authorities);
    expect(renewed.server).toMatchObject({ hosts: ["a.example", "::1"], daysLeft: 20 });
    expect(renewed.server.fingerprint256).not.toBe(old.server.fingerprint256);
    expect(renewed.client.fingerprint256).not.toBe(old.client.fingerprint256);
    expect((await readdir(folder)).length).toBe(4);
  });

  test("a new authority is trusted beside the one before, until the next", async () => {
    const first = await createCertificates({ folder, hosts: ["a"], now: NOW });
    const second = await rotateCertificates({ folder, authority: true, hosts: ["b"], now: NOW });
    expect(second.authorities.length).toBe(2);
    expect(second.authorities[1]).toEqual(first.authorities[0]);
    expect(second.server.hosts).toEqual(["b"]);
    const third = await rotateCertificates({ folder, authority: true, now: NOW });
    expect(third.authorities.map(({ fingerprint256 }) => fingerprint256)).toEqual([
      third.authorities[0]?.fingerprint256,
      second.authorities[0]?.fingerprint256,
    ]);
    expect((await read("server.pem")).checkIssued(await read("ca.pem"))).toBe(true);
  });

  test("an authority that has expired is replaced, and no certificate outlives its own", async () => {
    await createCertificates({ folder, hosts: ["a"], now: new Date("2010-01-01T00:00:00Z") });
    const renewed = await rotateCertificates({ folder, now: NOW });
    expect(renewed.authorities.length).toBe(1);
    const late = new Date(NOW.getTime() + 3640 * 24 * 60 * 60 * 1000);
    const last = await rotateCertificates({ folder, now: late });
    expect(last.server.validTo).toBe(last.authorities[0]?.validTo);
  });

  test("without certificates there is nothing to rotate; a spoilt file is named", async () => {
    await expect(rotateCertificates({ folder })).rejects.toMatchObject({ code: "NOT_FOUND", message: expect.stringContaining(folder) });
    await createCertificates({ folder, hosts: ["a"] });
    await writeFile(join(folder, "ca-key.pem"), "spoilt");
    await expect(rotateCertificates({ folder })).rejects.toMatchObject({ code: "TLS_FAILED", message: expect.stringContaining("ca-key.pem") });
  });
});

async function read(name: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(join(folder, name)));
}
