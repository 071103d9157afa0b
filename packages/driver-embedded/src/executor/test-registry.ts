import { createHash } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

import { tarEnd, tarEntry } from "./tar-rewrite.ts";

/** The blobs of an image with one file in one layer. */
export interface TestImage {
  readonly blobs: ReadonlyMap<string, Buffer>;
  readonly manifest: Buffer;
  readonly manifestDigest: string;
  readonly config: Buffer;
  readonly layer: Buffer;
}

export function makeTestImage(contents: string): TestImage {
  const layer = Buffer.concat([tarEntry({ name: "hello", mode: 0o644, contents: Buffer.from(contents) }), tarEnd()]);
  const packed = gzipSync(layer);
  const config = Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: { Env: ["FROM=registry"], WorkingDir: "/w", Volumes: { "/data": {} } },
      rootfs: { type: "layers", diff_ids: [digestOf(layer)] },
      history: [{}],
    }),
  );
  const descriptor = (mediaType: string, data: Buffer) => ({ mediaType, digest: digestOf(data), size: data.length });
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.docker.distribution.manifest.v2+json",
      config: descriptor("application/vnd.docker.container.image.v1+json", config),
      layers: [descriptor("application/vnd.docker.image.rootfs.diff.tar.gzip", packed)],
    }),
  );
  const blobs = new Map([config, packed, manifest].map((data) => [digestOf(data), data] as const));
  return { blobs, manifest, manifestDigest: digestOf(manifest), config, layer };
}

export function digestOf(data: Buffer): string {
  return `sha256:${createHash("sha256").update(data).digest("hex")}`;
}

/** A registry on loopback that gives one image under every name, with a login where one is asked for. */
export async function startTestRegistry(
  image: TestImage,
  login?: { readonly username: string; readonly password: string },
): Promise<{ readonly host: string; close(): void }> {
  const wanted = login && `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;
  const server: Server = createServer((request, response) => {
    if (wanted !== undefined && request.headers.authorization !== wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return;
    }
    const name = (request.url ?? "").split("/").at(-1) ?? "";
    if ((request.url ?? "") === "/v2/") return void response.end("{}");
    const isManifest = (request.url ?? "").includes("/manifests/");
    const data = isManifest && !name.startsWith("sha256:") ? image.manifest : image.blobs.get(name);
    if (data === undefined || name === "missing") return void response.writeHead(404).end();
    const type = isManifest ? "application/vnd.docker.distribution.manifest.v2+json" : "application/octet-stream";
    response.writeHead(200, { "content-type": type, "content-length": data.length, "docker-content-digest": digestOf(data) });
    response.end(request.method === "HEAD" ? undefined : data);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
