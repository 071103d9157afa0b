import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { serveConformancePeer } from "@anyrunner/testkit";
import { testDriver } from "@anyrunner/testkit/vitest";

import { createCertificates } from "./certs/index.ts";
import { createSocketDriver } from "./driver.ts";
import { startTlsServer } from "./tls-server.fixture.ts";

testDriver({
  name: "socket, TLS",
  createDriver: createSocketDriver,
  entry: new URL("index.ts", import.meta.url).href,
  realVersion: async () => `TLS of OpenSSL ${process.versions.openssl}`,
  badUrls: [
    "tls://",
    "tls://127.0.0.1:99999",
    "tls://user:x@127.0.0.1",
    { url: "tls://127.0.0.1:1?cert_path=/x", code: "INVALID_OPTION" },
    { url: "tls://127.0.0.1:1?insecure=1", code: "INVALID_OPTION" },
  ],
  absentUrls: ["tls://127.0.0.1:1?ca_path=/no/such/ca.pem", "tls://127.0.0.1:1?ca_path=/dev/null"],
  target: async () => {
    const root = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
    const folder = join(root, "certs");
    await createCertificates({ folder, hosts: ["127.0.0.1"] });
    const server = await startTlsServer({ folder, onSocket: (socket) => void serveConformancePeer(socket) });
    return {
      url: `tls://127.0.0.1:${server.port}?ca_path=${folder}/ca.pem&cert_path=${folder}/client.pem&key_path=${folder}/client.pem`,
      kill: () => server.kill(),
      leftovers: async () => server.connectionCount(),
      close: async () => {
        await server.kill();
        await rm(root, { recursive: true, force: true });
      },
    };
  },
});
