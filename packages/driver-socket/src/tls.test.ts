import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type AddressInfo, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { parseRunnerUrl, type RunnerConnection, type RunnerEvent } from "@anyrunner/core/driver";
import { freePort } from "@anyrunner/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import { createCertificates } from "./certs/index.ts";
import { createSocketDriver, type SocketSettings } from "./driver.ts";
import { startTlsServer } from "./tls-server.fixture.ts";

const DAY_MS = 24 * 60 * 60 * 1000;

let root: string;
let folder: string;
const cleanups: (() => unknown)[] = [];

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  folder = await makeCertificates("good", {});
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe("a server that is not who it should be", () => {
  test("unknown authority", async () => {
    const other = await makeCertificates("other", {});
    const port = await serve();
    expect(await failure(`tls://127.0.0.1:${port}?ca_path=${other}/ca.pem`)).toMatchObject({
      code: "TLS_FAILED",
      message: expect.stringContaining(`tls://127.0.0.1:${port} shows a certificate of an unknown authority`),
      hint: `check that ${other}/ca.pem holds the authority that issued the server's certificate`,
      retryable: false,
    });
  });

  test("an authority that only the system could know", async () => {
    const port = await serve();
    expect(await failure(`tls://127.0.0.1:${port}`)).toMatchObject({ code: "TLS_FAILED", hint: expect.stringContaining("?ca_path=FILE") });
  });

  test("an expired certificate is named with its date", async () => {
    const old = await makeCertificates("old", { days: 1, now: new Date("2020-02-01T00:00:00Z") });
    const port = await serve({ folder: old });
    expect(await failure(`tls://127.0.0.1:${port}?ca_path=${old}/ca.pem`)).toMatchObject({
      code: "TLS_FAILED",
      message: `the certificate of tls://127.0.0.1:${port} expired on 2020-02-02`,
      details: { validTo: "2020-02-02T00:00:00.000Z" },
    });
  });

  test("a certificate of the future", async () => {
    const future = await makeCertificates("future", { now: new Date(Date.now() + 30 * DAY_MS) });
    const port = await serve({ folder: future });
    expect(await failure(`tls://127.0.0.1:${port}?ca_path=${future}/ca.pem`)).toMatchObject({
      code: "TLS_FAILED",
      message: expect.stringContaining("valid only from"),
    });
  });

  test("another name; server_name puts it right", async () => {
    const named = await makeCertificates("named", { hosts: ["engine.example", "10.0.0.1"] });
    const port = await serve({ folder: named });
    expect(await failure(`tls://127.0.0.1:${port}?ca_path=${named}/ca.pem`)).toMatchObject({
      code: "TLS_FAILED",
      message: `the certificate of tls://127.0.0.1:${port} is not for "127.0.0.1" but for engine.example, 10.0.0.1`,
    });
    for (const name of ["engine.example", "10.0.0.1"]) {
      (await dial(`tls://127.0.0.1:${port}?ca_path=${named}/ca.pem&server_name=${name}`)).stream.destroy();
    }
  });

  test("what speaks no TLS", async () => {
    const port = await serveBytes("220 ready\r\n");
    expect(await failure(`tls://127.0.0.1:${port}`)).toMatchObject({
      code: "TLS_FAILED",
      message: expect.stringContaining("doesn't speak TLS"),
      hint: expect.stringContaining("tcp://"),
    });
  });

  test("only TLS 1.1", async () => {
    const port = await serve({ minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT@SECLEVEL=0" });
    expect(await failure(`tls://127.0.0.1:${port}?ca_path=${folder}/ca.pem`)).toMatchObject({ code: "TLS_FAILED" });
  });

  test("a peer that says nothing is given up after the budget of the handshake", async () => {
    const port = await serveBytes("");
    expect(await failure(`tls://127.0.0.1:${port}`, { handshakeBudgetMs: 20 })).toMatchObject({
      code: "TIMEOUT",
      message: `the TLS handshake with tls://127.0.0.1:${port} took longer than 0.02 s`,
      retryable: true,
    });
  });

  test("nobody there", async () => {
    const port = await freePort();
    expect(await failure(`tls://127.0.0.1:${port}`)).toMatchObject({ code: "CONNECTION_REFUSED", message: `nothing listens at tls://127.0.0.1:${port}` });
    expect(await failure("tls://no-such-host.invalid")).toMatchObject({ code: "NAME_NOT_RESOLVED" });
  });
});

describe("the client's certificate", () => {
  // Node's own server says nothing when it refuses one; OpenSSL's sends the alert that engines send, too.
  test.each(["tls1_2", "tls1_3"])("missing, wanted by the server (%s)", async (version) => {
    const port = await serveOpenssl(version);
    expect(await failure(`tls://127.0.0.1:${port}?ca_path=${folder}/ca.pem`)).toMatchObject({
      code: "TLS_FAILED",
      message: expect.stringMatching(/wants a client certificate|refused the TLS handshake/),
      hint: expect.stringContaining("?cert_path=FILE&key_path=FILE"),
      retryable: false,
    });
  });

  test.each(["tls1_2", "tls1_3"])("of an authority that the server doesn't know (%s)", async (version) => {
    const other = await makeCertificates(`stranger-${version}`, {});
    const port = await serveOpenssl(version);
    expect(await failure(`tls://127.0.0.1:${port}?ca_path=${folder}/ca.pem&cert_path=${other}/client.pem&key_path=${other}/client.pem`)).toMatchObject({
      code: "TLS_FAILED",
      message: expect.stringContaining(`refused the client certificate in ${other}/client.pem`),
    });
  });

  test("expired: nothing is dialled; file and date are named", async () => {
    const old = await makeCertificates("old-client", { days: 1, now: new Date("2020-02-01T00:00:00Z") });
    const url = `tls://127.0.0.1:1?cert_path=${old}/client.pem&key_path=${old}/client.pem`;
    const expected = { code: "TLS_FAILED", message: `the client certificate in ${old}/client.pem expired on 2020-02-02` };
    expect(await failure(url)).toMatchObject(expected);
    const driver = createSocketDriver();
    expect(await driver.probe(await driver.parse(parseRunnerUrl(url)), {})).toMatchObject({ available: false, code: "TLS_FAILED", reason: expected.message });
  });

  test("with the key of another, or with none", async () => {
    expect(await failure(`tls://127.0.0.1:1?cert_path=${folder}/client.pem&key_path=${folder}/server.pem`)).toMatchObject({
      code: "TLS_FAILED",
      message: expect.stringContaining(`is not the key of the certificate in ${folder}/client.pem`),
    });
    expect(await failure(`tls://127.0.0.1:1?cert_path=${folder}/client.pem&key_path=${folder}/ca.pem`)).toMatchObject({
      code: "TLS_FAILED",
      message: expect.stringContaining("holds no private key"),
    });
    expect(await failure(`tls://127.0.0.1:1?cert_path=${folder}/none.pem&key_path=${folder}/none.pem`)).toMatchObject({
      code: "NOT_FOUND",
      message: expect.stringContaining(`${folder}/none.pem`),
    });
  });

  test("is read anew for each dial, so that a renewed one counts at once", async () => {
    const changing = join(root, "changing.pem");
    await writeFile(changing, "nothing yet");
    const port = await serve();
    const driver = createSocketDriver();
    const url = `tls://127.0.0.1:${port}?ca_path=${folder}/ca.pem&cert_path=${changing}&key_path=${changing}`;
    const handle = await driver.provision(await driver.parse(parseRunnerUrl(url)), {});
    await expect(driver.connect(handle, {})).rejects.toMatchObject({ code: "TLS_FAILED" });
    await writeFile(changing, await readFile(join(folder, "client.pem")));
    (await driver.connect(handle, {})).stream.destroy();
  });
});

test("what is about to expire is told once, with file and date", async () => {
  const soon = await makeCertificates("soon", { days: 13 });
  const port = await serve({ folder: soon });
  const driver = createSocketDriver();
  const url = `tls://127.0.0.1:${port}?ca_path=${soon}/ca.pem&cert_path=${soon}/client.pem&key_path=${soon}/client.pem`;
  const events: RunnerEvent[] = [];
  const report = (event: RunnerEvent) => events.push(event);
  const handle = await driver.provision(await driver.parse(parseRunnerUrl(url)), { report });
  for (let time = 0; time < 2; time++) (await driver.connect(handle, { report })).stream.destroy();
  expect(events.map((event) => event.type === "warning" && event.message.replace(/\d{4}-\d\d-\d\d, in 1[23] days/, "DATE"))).toEqual([
    `the client certificate in ${soon}/client.pem expires on DATE`,
    `the certificate of tls://127.0.0.1:${port} expires on DATE`,
  ]);
});

test("a named pipe is refused where there are none, by name", async () => {
  if (process.platform === "win32") return;
  const driver = createSocketDriver();
  const target = await driver.parse(parseRunnerUrl("npipe:////./pipe/engine"));
  expect(await driver.probe(target, {})).toMatchObject({
    available: false,
    code: "UNSUPPORTED",
    reason: "npipe:////./pipe/engine is a named pipe, which only Windows has",
  });
  await expect(driver.connect(await driver.provision(target, {}), {})).rejects.toMatchObject({ code: "UNSUPPORTED" });
});

async function makeCertificates(
  name: string,
  { hosts = ["127.0.0.1"], ...options }: { hosts?: readonly string[]; days?: number; now?: Date },
): Promise<string> {
  const path = join(root, name);
  await createCertificates({ folder: path, hosts, ...options });
  return path;
}

async function serve(options: Partial<Parameters<typeof startTlsServer>[0]> = {}): Promise<number> {
  const server = await startTlsServer({ folder, onSocket: (socket) => socket.resume(), requestCert: false, ...options });
  cleanups.push(() => server.kill());
  return server.port;
}

async function serveOpenssl(version: string): Promise<number> {
  const files = ["-cert", "server.pem", "-key", "server.pem", "-CAfile", "ca.pem"];
  const child = spawn("openssl", ["s_server", "-accept", "127.0.0.1:0", `-${version}`, ...files, "-Verify", "1", "-verify_return_error"], {
    cwd: folder,
    stdio: ["pipe", "pipe", "ignore"],
  });
  cleanups.push(async () => {
    child.kill("SIGKILL");
    await once(child, "close");
  });
  let output = "";
  for await (const chunk of child.stdout) {
    output += String(chunk);
    const port = /ACCEPT 127\.0\.0\.1:(\d+)/.exec(output)?.[1];
    if (port !== undefined) return Number(port);
  }
  throw new Error(`openssl did not start: ${output}`);
}

async function serveBytes(bytes: string): Promise<number> {
  const server: Server = createServer((socket) => {
    socket.on("error", () => {});
    cleanups.unshift(() => socket.destroy());
    if (bytes !== "") socket.write(bytes);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

async function dial(url: string, settings: SocketSettings = {}): Promise<RunnerConnection> {
  const driver = createSocketDriver(settings);
  return driver.connect(await driver.provision(await driver.parse(parseRunnerUrl(url)), {}), {});
}

async function failure(url: string, settings?: SocketSettings): Promise<unknown> {
  return dial(url, settings).then(
    ({ stream }) => {
      stream.destroy();
      return "connected";
    },
    (error: unknown) => error,
  );
}
