import { Duplex } from "node:stream";

import { describe, expect, test } from "vitest";

import { eagerDuplex } from "./eager-duplex.ts";
import { openGrpcStream, type GrpcStream } from "./grpc/client-stream.ts";
import { serveGrpc } from "./grpc/server.ts";
import { openHttp2Connection } from "./http2/connection.ts";

const PIPE_BYTES = 64 * 1024;
const MEGABYTE = 1024 * 1024;

/** A pipe as the kernel's: a write returns when all of it fits, a read when there is something. */
class Pipe {
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #changed: (() => void)[] = [];

  async write(chunk: Buffer): Promise<void> {
    for (let offset = 0; offset < chunk.length;) {
      while (this.#bytes >= PIPE_BYTES) await this.#change();
      const part = chunk.subarray(offset, offset + PIPE_BYTES - this.#bytes);
      this.#chunks.push(part);
      this.#bytes += part.length;
      offset += part.length;
      this.#notify();
    }
  }

  async read(): Promise<Buffer> {
    while (this.#bytes === 0) await this.#change();
    return this.readNow() as Buffer;
  }

  readNow(): Buffer | undefined {
    const chunk = this.#chunks.shift();
    this.#bytes -= chunk?.length ?? 0;
    if (chunk !== undefined) this.#notify();
    return chunk;
  }

  readable(): Promise<void> {
    return this.#bytes > 0 ? Promise.resolve() : this.#change();
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#changed.push(resolve));
  }

  #notify(): void {
    const changed = this.#changed;
    this.#changed = [];
    for (const wake of changed) wake();
  }
}

/** Both ends of a relay that, like conmon, copies both directions in one thread with blocking writes. */
function oneThreadedRelay(): readonly [Duplex, Duplex] {
  const [clientOut, clientIn, serverOut, serverIn] = [new Pipe(), new Pipe(), new Pipe(), new Pipe()] as const;
  void (async () => {
    for (;;) {
      await Promise.race([clientOut.readable(), serverOut.readable()]);
      const up = clientOut.readNow();
      if (up !== undefined) await serverIn.write(up);
      const down = serverOut.readNow();
      if (down !== undefined) await clientIn.write(down);
    }
  })();
  return [pipeDuplex(clientIn, clientOut), pipeDuplex(serverIn, serverOut)];
}

function pipeDuplex(input: Pipe, output: Pipe): Duplex {
  const duplex: Duplex = new Duplex({
    read: () => void input.read().then((chunk) => duplex.destroyed || duplex.push(chunk)),
    write: (chunk: Buffer, _encoding, callback) => void output.write(chunk).then(() => callback()),
  });
  return duplex;
}

describe("a relay that is not fully duplex", () => {
  test("64 MiB each way at once get through with windows of 1 MiB", async () => {
    const [client, server] = oneThreadedRelay();
    const served = serveGrpc(eagerDuplex(server), {
      "/t/Both": async (call) => {
        const sending = pour((message) => call.send(message));
        await count(call.messages);
        await sending;
      },
    });
    const connection = openHttp2Connection(eagerDuplex(client));
    const stream: GrpcStream = openGrpcStream(connection, "/t/Both");
    const sending = pour((message) => stream.send(message)).then(() => stream.end());
    expect(await count(stream.messages)).toBe(64 * MEGABYTE);
    await sending;
    connection.destroy();
    served.destroy();
  });
});

async function pour(send: (message: Uint8Array) => Promise<void>): Promise<void> {
  for (let i = 0; i < 64 * 16; i++) await send(Buffer.alloc(MEGABYTE / 16));
}

async function count(messages: AsyncIterable<Uint8Array>): Promise<number> {
  let bytes = 0;
  for await (const message of messages) bytes += message.length;
  return bytes;
}
