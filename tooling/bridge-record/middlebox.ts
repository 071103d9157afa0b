import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { once } from "node:events";

export interface SilenceCutter {
  /** As a runner URL. */
  readonly url: string;
  /** How many connections it has cut. */
  cutCount(): number;
  close(): void;
}

/** A middlebox in front of a TCP engine that resets every connection on which nothing has passed for `idleMs`. */
export async function startSilenceCutter(engine: { readonly host: string; readonly port: number }, idleMs: number): Promise<SilenceCutter> {
  let cuts = 0;
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(engine.port, engine.host);
    const pair = [near, far];
    for (const socket of pair) {
      sockets.add(socket);
      socket
        .on("error", () => {})
        .once("close", () => {
          sockets.delete(socket);
          pair.forEach((other) => other.destroy());
        });
    }
    // The time-out of a socket counts both of its directions.
    near.setTimeout(idleMs, () => {
      cuts += 1;
      near.resetAndDestroy();
      far.resetAndDestroy();
    });
    near.pipe(far).pipe(near);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cutCount: () => cuts,
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
