import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { gzipSync } from "node:zlib";

/** A registry on this machine, which ends when it is disposed of. */
export interface TestRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: a daemon speaks plain HTTP to it. */
  readonly host: string;
  /** Paths that were asked for, with the user behind them. */
  readonly requests: readonly string[];
}

/** What the one image of the registry is, and who may pull it. */
export interface TestRegistryOptions {
  /** Root file system of its one image, `engine:v1`, as a tar archive. */
  readonly layer: Buffer;
  readonly entrypoint: readonly string[];
  /** Default: everybody may pull. */
  readonly login?: { readonly username: string; readonly password: string };
}

/** A registry with one image, by the distribution API as far as a pull needs it. */
export async function startTestRegistry(options: TestRegistryOptions): Promise<TestRegistry> {
  const requests: string[] = [];
  const blobs = new Map<string, Buffer>();
  const store = (bytes: Buffer) => {
    const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
    blobs.set(digest, bytes);
    return digest;
  };
  const layer = gzipSync(options.layer, { level: 1 });
  const config = Buffer.from(
    JSON.stringify({
      architecture: process.arch === "arm64" ? "arm64" : "amd64",
      os: "linux",
      config: { Entrypoint: options.entrypoint, Env: ["PATH=/usr/bin:/bin"] },
      rootfs: { type: "layers", diff_ids: [`sha256:${createHash("sha256").update(options.layer).digest("hex")}`] },
    }),
  );
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: "application/vnd.docker.container.image.v1+json", size: config.length, digest: store(config) },
      layers: [{ mediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", size: layer.length, digest: store(layer) }],
    }),
  );
  const manifestDigest = store(manifest);

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const path = request.url ?? "";
    const user = userOf(request);
    requests.push(`${request.method} ${path} ${user?.username ?? "anonymous"}`);
    const { login } = options;
    if (login !== undefined && (user?.username !== login.username || user.password !== login.password)) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "log in" }] }));
      return;
    }
    const name = /^\/v2\/engine\/(?:manifests|blobs)\/(.+)$/.exec(path)?.[1];
    const isManifest = path.includes("/manifests/");
    const bytes = isManifest && name === "v1" ? manifest : blobs.get(name ?? "");
    if (path === "/v2/") return void response.end("{}");
    if (bytes === undefined) {
      response.writeHead(404).end(JSON.stringify({ errors: [{ code: "MANIFEST_UNKNOWN", message: "manifest unknown" }] }));
      return;
    }
    response.writeHead(200, {
      "content-type": isManifest ? MANIFEST_TYPE : "application/octet-stream",
      "content-length": bytes.length,
      ...(isManifest && { "docker-content-digest": manifestDigest }),
    });
    response.end(request.method === "HEAD" ? undefined : bytes);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

const MANIFEST_TYPE = "application/vnd.docker.distribution.manifest.v2+json";

function userOf(request: IncomingMessage): { readonly username: string; readonly password: string } | undefined {
  const encoded = /^Basic (.+)$/.exec(request.headers.authorization ?? "")?.[1];
  if (encoded === undefined) return undefined;
  const [username = "", password = ""] = Buffer.from(encoded, "base64").toString().split(":");
  return { username, password };
}
