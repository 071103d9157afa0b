import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls, createServer as createTlsServer } from "node:tls";

import { duplexPair } from "./duplex-pair.ts";

/** The kinds of stream that connections run over: native sockets, one hidden behind a plain Duplex, and a pair in this process. */
export const STREAM_KINDS = ["socket", "TLS socket", "hidden socket", "pair"] as const;

export type StreamKind = (typeof STREAM_KINDS)[number];

/** Both ends of a fresh byte stream. */
export async function streamPair(kind: StreamKind): Promise<readonly [client: Duplex, server: Duplex]> {
  if (kind === "pair") return duplexPair();
  if (kind === "TLS socket") return tlsPair();
  const [client, server] = await socketPair();
  return kind === "socket" ? [client, server] : [hidden(client), hidden(server)];
}

async function socketPair(): Promise<readonly [Socket, Socket]> {
  const listener = createServer();
  return connectedPair(listener, "connection", await listen(listener, (port) => connect(port, "127.0.0.1")), "connect");
}

async function tlsPair(): Promise<readonly [Socket, Socket]> {
  const [key, cert] = ["key", "cert"].map((name) => readFileSync(new URL(`../test/fixtures/tls/${name}.pem`, import.meta.url)));
  const listener = createTlsServer({ key, cert });
  const dial = (port: number) => connectTls({ port, host: "127.0.0.1", servername: "localhost", ca: cert });
  return connectedPair(listener, "secureConnection", await listen(listener, dial), "secureConnect");
}

async function listen(listener: Server, dial: (port: number) => Socket): Promise<Socket> {
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  return dial((listener.address() as AddressInfo).port);
}

async function connectedPair(listener: Server, accepted: string, client: Socket, connected: string): Promise<readonly [Socket, Socket]> {
  const [[server]] = (await Promise.all([once(listener, accepted), once(client, connected)])) as [[Socket], unknown];
  listener.close();
  // http2 sees to it on native sockets only; behind a Duplex every small write would wait for a delayed acknowledgement.
  for (const socket of [client, server]) socket.setNoDelay(true);
  return [client, server];
}

/** The same stream without its native handle, as an exec or WebSocket stream is. */
function hidden(inner: Duplex): Duplex {
  const outer = new Duplex({
    read: () => inner.resume(),
    write: (chunk, _encoding, callback) => inner.write(chunk, callback),
    final: (callback) => inner.end(callback),
    destroy(error, callback) {
      inner.destroy();
      callback(error);
    },
  });
  inner.on("data", (chunk) => {
    if (!outer.push(chunk)) inner.pause();
  });
  inner.on("end", () => outer.push(null));
  inner.on("error", (error) => outer.destroy(error));
  inner.on("close", () => outer.destroy());
  return outer;
}
