import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface ConnectProxy {
  /** `host:port`. */
  readonly address: string;
  close(): Promise<void>;
}

/** An HTTP proxy that knows CONNECT only, and lets in who says `login` (`user:password`). Its tunnels stay usable when one half has ended. */
export async function startConnectProxy(login?: string): Promise<ConnectProxy> {
  const sockets = new Set<Socket>();
  const keep = (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    socket.on("error", () => socket.destroy());
    return socket;
  };
  const server = createServer({ allowHalfOpen: true }, (client) => {
    let head = "";
    keep(client).on("data", function read(chunk: Buffer) {
      head += chunk.toString("latin1");
      if (!head.includes("\r\n\r\n")) return;
      client.off("data", read);
      client.pause();
      tunnel(client, head, login, keep);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

function tunnel(client: Socket, head: string, login: string | undefined, keep: (socket: Socket) => Socket): void {
  const [, host = "", port = ""] = /^CONNECT ([^ :]+):(\d+) /.exec(head) ?? [];
  const said = /^proxy-authorization: basic (\S+)/im.exec(head)?.[1] ?? "";
  if (login !== undefined && Buffer.from(said, "base64").toString() !== login) return void client.end("HTTP/1.1 407 Login needed\r\n\r\n");
  const far = keep(connect({ host, port: Number(port), allowHalfOpen: true }));
  const refuse = () => client.end("HTTP/1.1 502 Bad gateway\r\n\r\n");
  far.once("error", refuse);
  far.once("connect", () => {
    far.off("error", refuse);
    client.write("HTTP/1.1 200 OK\r\n\r\n");
    client.pipe(far);
    far.pipe(client);
    far.once("error", () => client.destroy());
    client.once("close", () => far.destroy());
    far.once("close", () => client.end());
  });
}
