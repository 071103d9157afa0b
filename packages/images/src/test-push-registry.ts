import { createHash, randomUUID } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";

export interface PushRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`: a daemon speaks plain HTTP to it. */
  readonly host: string;
  /** Of a manifest that was pushed. */
  digest(name: string, tag: string): string | undefined;
}

/** A registry that takes pushes with a login, by the distribution API as far as a daemon needs it; all in memory. */
export async function startPushRegistry(login: { readonly username: string; readonly password: string }): Promise<PushRegistry> {
  const blobs = new Map<string, Buffer>();
  const uploads = new Map<string, Buffer>();
  const manifests = new Map<string, { readonly digest: string; readonly type: string; readonly contents: Buffer }>();
  const wanted = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString("base64")}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method, headers } = request;
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://registry");
    const body = await buffer(request);
    const say = (status: number, head: Record<string, string | number> = {}, contents?: Buffer) => void response.writeHead(status, head).end(contents);
    if (headers.authorization !== wanted) return say(401, { "www-authenticate": 'Basic realm="test"' });
    if (pathname === "/v2/") return say(200, {}, Buffer.from("{}"));
    const [, name = "", kind, id = ""] = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests)\/(.*)$/.exec(pathname) ?? [];
    if (kind === "blobs/uploads") {
      const upload = id === "" ? randomUUID() : id;
      const contents = Buffer.concat([uploads.get(upload) ?? Buffer.alloc(0), body]);
      uploads.set(upload, contents);
      const digest = searchParams.get("digest");
      if (digest === null)
        return say(202, { location: `/v2/${name}/blobs/uploads/${upload}`, range: `0-${Math.max(0, contents.length - 1)}`, "docker-upload-uuid": upload });
      uploads.delete(upload);
      blobs.set(digest, contents);
      return say(201, { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest });
    }
    if (kind === "manifests" && method === "PUT") {
      const digest = `sha256:${createHash("sha256").update(body).digest("hex")}`;
      for (const key of [id, digest]) manifests.set(`${name}:${key}`, { digest, type: headers["content-type"] ?? "", contents: body });
      return say(201, { "docker-content-digest": digest });
    }
    const found = kind === "manifests" ? manifests.get(`${name}:${id}`)?.contents : blobs.get(id);
    if (found === undefined) return say(404, {}, method === "HEAD" ? undefined : Buffer.from('{"errors":[{"code":"NOT_FOUND"}]}'));
    const manifest = manifests.get(`${name}:${id}`);
    const head = {
      "content-length": found.length,
      "docker-content-digest": manifest?.digest ?? id,
      "content-type": manifest?.type ?? "application/octet-stream",
    };
    return say(200, head, method === "HEAD" ? undefined : found);
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    digest: (name, tag) => manifests.get(`${name}:${tag}`)?.digest,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}
