import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { createServer as createTlsServer } from "node:tls";

export interface BalancerOptions {
  /** Ports on 127.0.0.1 of what stands behind it. */
  readonly ports: readonly number[];
  /** Certificates as `anyrunner certs create` makes them. Without them it speaks plain TCP. */
  readonly certificates?: string | undefined;
  /** Connections of one client address go to one server while it has any. Else they go round. */
  readonly affinity: boolean;
  /** Where it listens. Default: 127.0.0.1, a free port. */
  readonly host?: string | undefined;
  readonly port?: number | undefined;
}

/** A TCP balancer that ends TLS. */
export interface Balancer {
  readonly port: number;
  /** Gives a server no new clients; those that have a connection to it keep it. */
  drain(server: number): void;
  /** How many connections each server got, in the order of `ports`. */
  counts(): readonly number[];
  close(): Promise<void>;
}

export async function startBalancer({ ports, certificates, affinity, host, port }: BalancerOptions): Promise<Balancer> {
  const open = new Set<Socket>();
  const drained = new Set<number>();
  const counts = new Map(ports.map((port) => [port, 0]));
  const clients = new Map<string, { readonly port: number; connections: number }>();
  let turn = 0;

  const next = () => {
    const serving = ports.filter((port) => !drained.has(port));
    return serving[turn++ % serving.length] as number;
  };
  const choose = (client: string) => {
    if (!affinity) return { port: next(), connections: 0 };
    const known = clients.get(client) ?? { port: next(), connections: 0 };
    clients.set(client, known);
    return known;
  };
  const pass = (near: Socket) => {
    const client = near.remoteAddress ?? "";
    const chosen = choose(client);
    chosen.connections++;
    counts.set(chosen.port, (counts.get(chosen.port) ?? 0) + 1);
    near.once("close", () => {
      if (--chosen.connections === 0) clients.delete(client);
    });
    joinSockets(near, connect({ host: "127.0.0.1", port: chosen.port }), open);
  };
  const server = certificates === undefined ? createServer(pass) : createTlsServer(await tlsOptions(certificates), pass);
  return {
    port: await listen(server, { host, port }),
    drain: (server) => void drained.add(server),
    counts: () => [...counts.values()],
    close: () => close(server, open),
  };
}

/** A port from which connections reach `port` with `address` as their source: another machine, as a balancer sees it. */
export async function startClientMachine({
  address,
  port,
}: {
  readonly address: string;
  readonly port: number;
}): Promise<{ readonly port: number; close(): Promise<void> }> {
  const open = new Set<Socket>();
  const server = createServer((near) => joinSockets(near, connect({ host: "127.0.0.1", port, localAddress: address }), open));
  return { port: await listen(server), close: () => close(server, open) };
}

async function tlsOptions(certificates: string) {
  const [identity, authority] = await Promise.all(["server.pem", "ca.pem"].map((name) => readFile(join(certificates, name))));
  return { cert: identity, key: identity, ca: authority, requestCert: true, rejectUnauthorized: true };
}

function joinSockets(near: Socket, far: Socket, open: Set<Socket>): void {
  for (const [from, to] of [
    [near, far],
    [far, near],
  ] as const) {
    open.add(from);
    from.on("error", () => {});
    from.once("close", () => {
      open.delete(from);
      to.destroy();
    });
    from.pipe(to);
  }
}

async function listen(
  server: Server,
  { host = "127.0.0.1", port = 0 }: { readonly host?: string | undefined; readonly port?: number | undefined } = {},
): Promise<number> {
  server.listen(port, host);
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

async function close(server: Server, open: Set<Socket>): Promise<void> {
  server.close();
  for (const socket of open) socket.destroy();
  await once(server, "close");
}
