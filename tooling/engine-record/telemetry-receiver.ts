import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { connect, createServer as createRelay, type AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface TelemetryReceiver {
  readonly endpoint: string;
  readonly requests: readonly Received[];
  close(): void;
}

/** Takes what is exported to it; or hangs, or fails each time. */
export async function startReceiver(behaviour: "takes" | "hangs" | "fails"): Promise<TelemetryReceiver> {
  const requests: Received[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse) => {
    requests.push({ path: request.url ?? "", headers: request.headers, body: await text(request).catch(() => "") });
    if (behaviour !== "hangs") response.writeHead(behaviour === "fails" ? 500 : 200, { "content-type": "application/json" }).end("{}");
  };
  const server = createServer((request, response) => void take(request, response));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, close };
}

/** Stands before an engine's socket, and reads what a client says of itself when it begins. */
export async function startEavesdropper(engine: string, path: string): Promise<{ told(): unknown; close(): void }> {
  let heard = "";
  const server = createRelay((client) => {
    const upstream = connect(engine);
    client.on("data", (chunk: Buffer) => (heard = (heard + chunk.toString("latin1")).slice(-1_000_000)));
    client.pipe(upstream).pipe(client);
    client.on("error", () => upstream.destroy());
    upstream.on("error", () => client.destroy());
  });
  await once(server.listen(path), "listening");
  return {
    told() {
      const header = /x-dagger-client-metadata: ([\w+/=]+)/i.exec(heard)?.[1];
      return header === undefined ? undefined : JSON.parse(Buffer.from(header, "base64").toString());
    },
    close: () => server.close(),
  };
}
