import { createSocket } from "node:dgram";
import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { join } from "node:path";
import { decodeBytesMessage, encodeBytesMessage } from "@anyrunner/filesync";
import { GrpcStatus, Ssh, type GrpcStream } from "@anyrunner/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { makeDirectory, startAttachables } from "./test-attachables.ts";

const METADATA = "x-dagger-socket-urlencoded";

async function checkAgent(id: string) {
  const codec = await Ssh.checkAgent.codec();
  return startAttachables().call(Ssh.checkAgent.path, {}, [codec.encodeRequest({ id })]);
}

/** A server on a unix socket or a loopback port; the URL that names it. */
async function serve(onConnection: (socket: Socket) => void, path?: string): Promise<string> {
  const server = createServer({ allowHalfOpen: true }, (socket) => onConnection(socket.on("error", () => {})));
  server.listen(path === undefined ? { port: 0, host: "127.0.0.1" } : { path });
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return path === undefined ? `tcp://127.0.0.1:${(server.address() as AddressInfo).port}` : `unix://${path}`;
}

const send = (stream: GrpcStream, text: string) => stream.send(encodeBytesMessage(Buffer.from(text)));

async function readAll(stream: GrpcStream): Promise<string> {
  let text = "";
  for await (const message of stream.messages) text += Buffer.from(decodeBytesMessage(message)).toString();
  return text;
}

describe("checking", () => {
  test("a unix socket that is there, and services of which nothing is known, pass", async () => {
    const path = join(makeDirectory(), "s");
    await serve(() => {}, path);
    for (const id of [`unix://${path}`, "tcp://localhost:1", "udp://localhost:1"]) {
      expect(await checkAgent(id)).toMatchObject({ status: 0, messages: [{ length: 0 }] });
    }
  });

  test("a path that isn't there is not found; a file is no socket", async () => {
    const root = makeDirectory({ file: "" });
    expect(await checkAgent(`unix://${root}/none`)).toMatchObject({
      status: GrpcStatus.NOT_FOUND,
      message: `socket ${root}/none not found: stat ${root}/none: no such file or directory`,
    });
    expect(await checkAgent(`unix://${root}/file`)).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT, message: `not a socket: ${root}/file` });
  });

  test.each(["", "npipe://x"])("%j is an invalid argument", async (id) => {
    expect(await checkAgent(id)).toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT });
  });
});

describe("forwarding", () => {
  const forward = (url: string) => startAttachables().open(Ssh.forwardAgent.path, { [METADATA]: url });

  test.each(["unix", "tcp"])("%s: bytes go both ways; the engine's half-close becomes the socket's", async (network) => {
    const url = await serve((socket) => socket.pipe(socket), network === "unix" ? join(makeDirectory(), "s") : undefined);
    const stream = forward(`${url}#client-of-an-old-engine`);
    await send(stream, "there and ");
    await send(stream, "back");
    stream.end();
    expect(await readAll(stream)).toBe("there and back");
  });

  test("a megabyte comes through whole", async () => {
    const content = Buffer.alloc(1024 * 1024, "0123456789abcdef");
    const url = await serve((socket) => socket.resume().end(content));
    const stream = forward(url);
    stream.end();
    expect(await readAll(stream)).toBe(content.toString());
  });

  test("the socket's end ends the call while the engine waits for it", async () => {
    const url = await serve((socket) => socket.end("bye"));
    expect(await readAll(forward(url))).toBe("bye");
  });

  test("what the engine still sends reaches a peer that has only ended its own half", async () => {
    let received = "";
    const ends: Promise<unknown>[] = [];
    const url = await serve((socket) => {
      ends.push(
        once(
          socket.on("data", (chunk) => (received += String(chunk))),
          "end",
        ),
      );
      socket.end();
    });
    const stream = forward(url);
    for (const piece of ["an ", "up", "load"]) await send(stream, piece);
    stream.end();
    expect(await readAll(stream)).toBe("");
    await Promise.all(ends);
    expect(received).toBe("an upload");
  });

  test("a peer that resets the connection fails the call", async () => {
    const url = await serve((socket) => socket.once("data", () => socket.resetAndDestroy()));
    const stream = forward(url);
    await send(stream, "x");
    await expect(readAll(stream)).rejects.toMatchObject({
      status: GrpcStatus.UNKNOWN,
      message: expect.stringMatching(/^copy failed: connection reset by peer$/),
    });
  });

  test("cancelling closes the socket", async () => {
    const sockets: Promise<unknown>[] = [];
    const url = await serve((socket) => {
      sockets.push(once(socket, "end"));
      socket.write("hello");
    });
    const stream = forward(url);
    await stream.messages[Symbol.asyncIterator]().next();
    stream.cancel();
    await Promise.all(sockets);
    expect(sockets.length).toBe(1);
  });

  test.each([
    ["unix:///none/at/all", /^dialer failed: dial unix \/none\/at\/all: connect: no such file or directory$/],
    ["tcp://127.0.0.1:1", /^dialer failed: dial tcp 127\.0\.0\.1:1: connect: connection refused$/],
    ["udp://no-such-host.invalid:1", /^dialer failed: dial udp no-such-host\.invalid:1/],
  ])("%s can't be dialled", async (url, message) => {
    await expect(readAll(forward(url))).rejects.toMatchObject({ status: GrpcStatus.UNKNOWN, message: expect.stringMatching(message) });
  });

  test("no URL is an invalid argument", async () => {
    const stream = startAttachables().open(Ssh.forwardAgent.path);
    await expect(readAll(stream)).rejects.toMatchObject({ status: GrpcStatus.INVALID_ARGUMENT, message: "missing socket url" });
  });

  test("udp: a datagram for a message, both ways, empty ones too", async () => {
    const server = createSocket("udp4", (data, peer) => server.send(Buffer.concat([Buffer.from("re "), data]), peer.port, peer.address));
    server.bind(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const stream = forward(`udp://127.0.0.1:${server.address().port}`);
    const answers = stream.messages[Symbol.asyncIterator]();
    for (const text of ["one", "", "three"]) {
      await send(stream, text);
      const { value } = await answers.next();
      expect(Buffer.from(decodeBytesMessage(value as Uint8Array)).toString()).toBe(`re ${text}`);
    }
    stream.end();
    expect(await answers.next()).toMatchObject({ done: true });
  });
});
