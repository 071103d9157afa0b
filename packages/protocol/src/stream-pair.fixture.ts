import { once } from "node:events";
import { createServer, connect, type AddressInfo, type Socket } from "node:net";
import { Duplex } from "node:stream";

import { duplexPair } from "./duplex-pair.ts";

/** The kinds of stream that connections run over: a native socket, one hidden behind a plain Duplex, and a pair in this process. */
export const STREAM_KINDS = ["socket", "hidden socket", "pair"] as const;

export type StreamKind = (typeof STREAM_KINDS)[number];

/** Both ends of a fresh byte stream. */
export async function streamPair(kind: StreamKind): Promise<readonly [Duplex, Duplex]> {
  if (kind === "pair") return duplexPair();
  const sockets = await socketPair();
  return kind === "socket" ? sockets : [hidden(sockets[0]), hidden(sockets[1])];
}

async function socketPair(): Promise<readonly [Duplex, Duplex]> {
  const listener = createServer();
  listener.listen(0, "127.0.0.1");
  await once(listener, "listening");
  const accepted = once(listener, "connection");
  const client = connect((listener.address() as AddressInfo).port, "127.0.0.1");
  await once(client, "connect");
  const [server] = (await accepted) as [Socket];
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
