import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import { GIT_PASSWORD, GIT_USER } from "./host-fixtures.ts";

/** Serves a repository over HTTP to who knows the password, for as long as the program runs. Default: on a port of its own. */
export async function serveRepository(path: string, listenPort = 0): Promise<number> {
  const { stdout } = await promisify(execFile)("git", ["--exec-path"]);
  const server = createServer((request, response) => answer(request, response, { backend: join(stdout.trim(), "git-http-backend"), path })).unref();
  await once(server.listen(listenPort, "0.0.0.0"), "listening");
  return (server.address() as AddressInfo).port;
}

function answer(request: IncomingMessage, response: ServerResponse, { backend, path }: { readonly backend: string; readonly path: string }): void {
  // Any user: engine 0.14 passes on the password alone, as a token.
  const credentials = Buffer.from((request.headers.authorization ?? "").replace(/^basic /i, ""), "base64").toString();
  if (!credentials.endsWith(`:${GIT_PASSWORD}`)) {
    response.writeHead(401, { "WWW-Authenticate": 'Basic realm="private"' }).end();
    return;
  }
  const url = new URL(request.url ?? "/", "http://host");
  const child = spawn(backend, {
    env: {
      ...process.env,
      GIT_PROJECT_ROOT: dirname(path),
      GIT_HTTP_EXPORT_ALL: "1",
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      REQUEST_METHOD: request.method,
      CONTENT_TYPE: request.headers["content-type"] ?? "",
      GIT_PROTOCOL: String(request.headers["git-protocol"] ?? ""),
      HTTP_CONTENT_ENCODING: request.headers["content-encoding"] ?? "",
      REMOTE_USER: GIT_USER,
    },
    stdio: ["pipe", "pipe", "inherit"],
  });
  request.pipe(child.stdin.on("error", () => {}));
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.once("close", () => {
    const all = Buffer.concat(chunks);
    const end = all.indexOf("\r\n\r\n");
    for (const line of all.subarray(0, end).toString().split("\r\n")) {
      const [name = "", value = ""] = line.split(": ");
      if (name === "Status") response.statusCode = Number.parseInt(value, 10);
      else response.setHeader(name, value);
    }
    response.end(all.subarray(end + 4));
  });
}
