import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, request, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { json } from "node:stream/consumers";

import { parseDockerHost, resolveDockerEndpoint } from "@anyrunner/docker-endpoint";

export interface PrivateDaemon extends AsyncDisposable {
  /** For `host=`. */
  readonly host: string;
}

/** The real daemon, which lists these containers alone: what is removed for being idle is nobody else's. */
export async function startPrivateDaemon(names: readonly string[]): Promise<PrivateDaemon> {
  const address = parseDockerHost((await resolveDockerEndpoint({ env: process.env })).host);
  if (address.kind !== "unix") throw new Error("the daemon of these tests is no local one");
  const { path: socketPath } = address;
  const folder = await mkdtemp(join(tmpdir(), "anyrunner-test-"));
  const sockets = new Set<Duplex>();
  const keep = <T extends Duplex>(socket: T): T => {
    sockets.add(socket.on("error", () => undefined));
    socket.once("close", () => sockets.delete(socket));
    return socket;
  };

  const pass = (asked: IncomingMessage, answer: ServerResponse) => {
    const { method, url: path, headers } = asked;
    const far = request({ socketPath, method, path, headers, agent: false }, (given) => {
      if (!/\/containers\/json/.test(path ?? "")) return void given.pipe(answer.writeHead(given.statusCode ?? 0, given.headers));
      void json(given).then((containers) => {
        const own = (containers as readonly { readonly Names: readonly string[] }[]).filter(({ Names }) => names.some((name) => Names.includes(`/${name}`)));
        answer.end(JSON.stringify(own));
      });
    });
    far.on("error", () => answer.destroy());
    answer.once("close", () => far.destroy());
    asked.pipe(far);
  };
  const passRaw = ({ method, url, rawHeaders }: IncomingMessage, near: Socket, head: Buffer) => {
    const far = keep(connect({ path: socketPath, allowHalfOpen: true }));
    const lines = rawHeaders.map((text, index) => (index % 2 === 0 ? `${text}: ` : `${text}\r\n`));
    far.write(`${method} ${url} HTTP/1.1\r\n${lines.join("")}\r\n`);
    far.write(head);
    near.pipe(far).pipe(near);
    near.once("close", () => far.destroy());
    far.once("close", () => near.destroy());
  };
  const server = createServer(pass).on("connection", keep).on("upgrade", passRaw);
  server.listen(join(folder, "docker.sock"));
  await once(server, "listening");
  return {
    host: `unix://${join(folder, "docker.sock")}`,
    async [Symbol.asyncDispose]() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
