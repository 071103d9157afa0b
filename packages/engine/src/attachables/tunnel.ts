import { once } from "node:events";
import { createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { systemErrorText } from "@anyrunner/filesync";
import { GrpcError, GrpcStatus, TunnelListener, type GrpcCall, type GrpcRoutes } from "@anyrunner/protocol";

type Codec = Awaited<ReturnType<typeof TunnelListener.listen.codec>>;
type Answer = Parameters<Codec["encodeResponse"]>[0];

/** What a connection may have waiting for a peer that reads slowly before all the others wait, too: they share one call. */
const WAITING_BYTES = 1024 * 1024;

/** How long a peer that has ended its half is kept when nothing comes for it. Nothing tells it from one that is gone altogether. */
const HALF_OPEN_MS = 60_000;

/** Ports of this machine that lead to services of the engine (engine protocol 5.8). */
export function tunnelRoutes(): GrpcRoutes {
  return {
    [TunnelListener.listen.path]: listen,
    // Engines up to 0.18.
    "/TunnelListener/Listen": listen,
  };
}

/** Listens until the engine ends the call; its first message says where. */
async function listen(call: GrpcCall): Promise<void> {
  const codec = await TunnelListener.listen.codec();
  const requests = call.messages[Symbol.asyncIterator]();
  const first = await requests.next();
  if (first.done === true) return;
  const { addr, protocol } = codec.decodeRequest(first.value);
  const server = await openServer(addr, protocol);
  const connections = new Map<string, Socket>();
  const sockets = new Set<Socket>();
  const send = (answer: Answer) => call.send(codec.encodeResponse(answer));
  try {
    await send({ addr: addressText(server) });
    acceptConnections({ server, connections, sockets, send });
    for (let next = await requests.next(); next.done !== true; next = await requests.next()) {
      const { connId, data, close } = codec.decodeRequest(next.value);
      const socket = connections.get(connId);
      if (socket === undefined) continue;
      if (close) {
        // The service has said all: the peer gets what waits for it, and then the end.
        connections.delete(connId);
        socket.destroySoon();
      } else await write(socket, data, call.signal);
    }
  } catch (error) {
    // Ending a tunnel by cancelling is the usual way.
    if (!call.signal.aborted) throw error;
  } finally {
    server.close();
    for (const socket of sockets) socket.destroy();
  }
}

async function openServer(address: string, protocol: string): Promise<Server> {
  const match = /^(?:tcp[46]?)$/.test(protocol) ? /^(?:\[(.*)\]|(.*)):(\d{1,5})$/.exec(address) : null;
  if (match === null) throw new GrpcError(GrpcStatus.INVALID_ARGUMENT, `cannot listen on ${protocol} ${address}`);
  const host = match[1] ?? match[2] ?? "";
  const port = Number(match[3]);
  // Like the official client: every interface of both families where the system has both.
  const hosts = host === "" || host === "0.0.0.0" ? ["::", "0.0.0.0"] : [host];
  let failure: unknown;
  for (const candidate of hosts) {
    const server = createServer({ allowHalfOpen: true, noDelay: true });
    try {
      server.listen({ port, host: candidate });
      await once(server, "listening");
      return server;
    } catch (error) {
      failure ??= error;
      if (!/^(EAFNOSUPPORT|EADDRNOTAVAIL|EINVAL)$/.test(String((error as { code?: unknown }).code))) break;
    }
  }
  throw new Error(`listen ${protocol} ${address}: bind: ${systemErrorText(failure)}`, { cause: failure });
}

function addressText(server: Server): string {
  return hostPort(server.address() as AddressInfo);
}

function hostPort({ address = "", port = 0 }: Partial<AddressInfo>): string {
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

interface Tunnel {
  readonly server: Server;
  /** Those that the engine has not closed, by the name that it knows them under. */
  readonly connections: Map<string, Socket>;
  readonly sockets: Set<Socket>;
  readonly send: (answer: Answer) => Promise<void>;
}

/**
 * Names each connection, then passes on what it says. The engine keeps a name for ever and gives up the whole tunnel when it can't
 * write to a service that is gone: a name is never used twice, and after the engine's close nothing more is sent under it.
 */
function acceptConnections({ server, connections, sockets, send }: Tunnel): void {
  let count = 0;
  server.on("connection", (socket) => {
    count += 1;
    const connId = `${hostPort({ address: socket.remoteAddress?.replace(/^::ffff:/, "") ?? "", port: socket.remotePort ?? 0 })}/${count}`;
    connections.set(connId, socket);
    sockets.add(socket);
    socket.on("error", () => {});
    socket.once("close", () => {
      connections.delete(connId);
      sockets.delete(socket);
    });
    passOn(connId, socket, send).catch(() => socket.destroy());
  });
}

/** The end of the local peer's half has no message: engines ignore it. */
async function passOn(connId: string, socket: Socket, send: Tunnel["send"]): Promise<void> {
  await send({ connId });
  for await (const data of socket.iterator({ destroyOnReturn: false })) {
    if (socket.writableEnded) return;
    await send({ connId, data: data as Buffer });
  }
  socket.setTimeout(HALF_OPEN_MS, () => socket.destroy());
}

async function write(socket: Socket, data: Uint8Array, signal: AbortSignal): Promise<void> {
  if (data.length === 0 || socket.destroyed) return;
  socket.write(data);
  if (socket.writableLength <= WAITING_BYTES) return;
  const settled = new AbortController();
  const until = { signal: AbortSignal.any([signal, settled.signal]) };
  try {
    await Promise.race([once(socket, "drain", until), once(socket, "close", until)]);
  } catch (error) {
    if (signal.aborted) throw error;
  } finally {
    settled.abort();
  }
}
