import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { lookup } from "node:dns/promises";
import { decodeBytesMessage, encodeBytesMessage, systemErrorText } from "@anyrunner/filesync";
import type { GrpcCall } from "@anyrunner/protocol";
import type { SocketAddress } from "./socket-address.ts";

/** Answers that may wait for the engine; more are lost, as datagrams are. */
const QUEUED_DATAGRAMS = 256;

export type DatagramAddress = Exclude<SocketAddress, { readonly network: "unix" }>;

/** One datagram a message, both ways, until the engine ends its half. Fails with `dialer failed: …` or `copy failed: …`. */
export async function relayDatagrams(call: GrpcCall, address: DatagramAddress): Promise<void> {
  const socket = await connectDatagrams(address);
  try {
    await Promise.race([sendDatagrams(call, socket), forwardAnswers(call, socket)]);
  } catch (error) {
    call.signal.throwIfAborted();
    throw new Error(`copy failed: ${systemErrorText(error)}`, { cause: error });
  } finally {
    socket.close();
  }
}

async function connectDatagrams({ host, port }: DatagramAddress): Promise<Socket> {
  let socket: Socket | undefined;
  try {
    const { address, family } = await lookup(host);
    socket = createSocket(family === 6 ? "udp6" : "udp4");
    socket.connect(port, address);
    await once(socket, "connect");
    return socket;
  } catch (error) {
    socket?.close();
    throw new Error(`dialer failed: dial udp ${host}:${port}: ${systemErrorText(error)}`, { cause: error });
  }
}

async function sendDatagrams(call: GrpcCall, socket: Socket): Promise<void> {
  for await (const message of call.messages) {
    await new Promise<void>((resolve, reject) => socket.send(decodeBytesMessage(message), (error) => (error ? reject(error) : resolve())));
  }
}

/** Ends by failing only. */
function forwardAnswers(call: GrpcCall, socket: Socket): Promise<never> {
  return new Promise((_, reject) => {
    let waiting = 0;
    let sending = Promise.resolve();
    socket.on("error", reject);
    socket.on("message", (data) => {
      if (waiting >= QUEUED_DATAGRAMS) return;
      waiting += 1;
      sending = sending.then(() => call.send(encodeBytesMessage(data))).then(() => void (waiting -= 1), reject);
    });
  });
}
