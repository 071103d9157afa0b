import { once } from "node:events";
import { createConnection, createServer, type AddressInfo, type Socket } from "node:net";
import { GrpcStatus, TunnelListener, type GrpcStream } from "@anyrunner/protocol";
import { describe, expect, onTestFinished, test } from "vitest";
import { startAttachables } from "./test-attachables.ts";

const codec = await TunnelListener.listen.codec();
type Request = Parameters<typeof codec.encodeRequest>[0];

/** The engine's end of a tunnel. */
async function openTunnel(path: string = TunnelListener.listen.path, request: Request = { addr: "0.0.0.0:0", protocol: "tcp" }) {
  const engine = startAttachables();
  const stream: GrpcStream = engine.open(path);
  const messages = stream.messages[Symbol.asyncIterator]();
  const send = (message: Request) => stream.send(codec.encodeRequest(message));
  const receive = async () => {
    const { done, value } = await messages.next();
    if (done === true) return undefined;
    const { addr, connId, data } = codec.decodeResponse(value);
    return { addr, connId, data: Buffer.from(data).toString() };
  };
  await send(request);
  const { addr = "" } = (await receive()) ?? {};
  const port = Number(addr.slice(addr.lastIndexOf(":") + 1));
  return { engine, stream, send, receive, addr, port };
}

async function connect(port: number): Promise<Socket> {
  const socket = createConnection({ port, host: "127.0.0.1", allowHalfOpen: true });
  onTestFinished(() => void socket.destroy());
  await once(socket, "connect");
  return socket;
}

async function readAll(socket: Socket): Promise<string> {
  let text = "";
  for await (const chunk of socket) text += String(chunk);
  return text;
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text));

describe("a tunnel", () => {
  test.each([TunnelListener.listen.path, "/TunnelListener/Listen"])("%s listens on every interface and carries bytes both ways", async (path) => {
    const { addr, port, send, receive } = await openTunnel(path);
    expect(addr).toMatch(/^(\[::\]|0\.0\.0\.0):\d+$/);
    const peer = await connect(port);
    const { connId = "" } = (await receive()) ?? {};
    expect(connId).toBe(`127.0.0.1:${peer.localPort}/1`);
    peer.write("question");
    expect(await receive()).toMatchObject({ connId, data: "question" });
    await send({ connId, data: bytes("ans") });
    await send({ connId, data: bytes("wer") });
    await send({ connId, close: true });
    expect(await readAll(peer)).toBe("answer");
  });

  test("connections are named apart, though a port comes twice; a name that isn't known is let be", async () => {
    const { port, send, receive } = await openTunnel();
    const first = await connect(port);
    const one = (await receive())?.connId ?? "";
    const second = await connect(port);
    const two = (await receive())?.connId ?? "";
    expect(two).not.toBe(one);
    await send({ connId: "nobody", data: bytes("x") });
    await send({ connId: two, data: bytes("2") });
    await send({ connId: one, data: bytes("1") });
    for (const connId of [one, two]) await send({ connId, close: true });
    expect([await readAll(first), await readAll(second)]).toEqual(["1", "2"]);
  });

  test("a peer that has ended its half still gets the answer", async () => {
    const { port, send, receive } = await openTunnel();
    const peer = await connect(port);
    const { connId = "" } = (await receive()) ?? {};
    peer.end("question");
    expect(await receive()).toMatchObject({ data: "question" });
    await send({ connId, data: bytes("answer") });
    await send({ connId, close: true });
    expect(await readAll(peer)).toBe("answer");
  });

  test("after the engine's close nothing more is said under that name", async () => {
    const { port, send, receive } = await openTunnel();
    const peer = await connect(port);
    peer.on("error", () => {});
    const { connId = "" } = (await receive()) ?? {};
    await send({ connId, close: true });
    await readAll(peer);
    peer.write("too late");
    const next = await connect(port);
    expect(await receive()).toMatchObject({ connId: `127.0.0.1:${next.localPort}/2`, data: "" });
  });

  test.each(["half-close", "cancel"])("%s stops listening and closes what is open", async (end) => {
    const { engine, stream, port, receive } = await openTunnel();
    const peer = await connect(port);
    await receive();
    if (end === "cancel") stream.cancel();
    else stream.end();
    await readAll(peer);
    await engine.attachables.close();
    await expect(connect(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("a peer that goes without a word harms no other", async () => {
    const { port, send, receive } = await openTunnel();
    const rude = await connect(port);
    const { connId: gone = "" } = (await receive()) ?? {};
    rude.resetAndDestroy();
    for (let piece = 0; piece < 3; piece += 1) await send({ connId: gone, data: bytes("x".repeat(100_000)) });
    const polite = await connect(port);
    const { connId = "" } = (await receive()) ?? {};
    await send({ connId, data: bytes("hello") });
    await send({ connId, close: true });
    expect(await readAll(polite)).toBe("hello");
  });
});

describe("what can't be listened on fails the call", () => {
  const failure = async (request: Request) => {
    const { status, message } = await startAttachables().call(TunnelListener.listen.path, {}, [codec.encodeRequest(request)]);
    return { status, message };
  };

  test("a port that is taken", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    expect(await failure({ addr: `127.0.0.1:${port}`, protocol: "tcp" })).toMatchObject({
      status: GrpcStatus.UNKNOWN,
      message: `listen tcp 127.0.0.1:${port}: bind: address already in use`,
    });
  });

  test.each([
    ["0.0.0.0:53", "udp"],
    ["nowhere", "tcp"],
  ])("%s with %s", async (addr, protocol) => {
    expect(await failure({ addr, protocol })).toEqual({ status: GrpcStatus.INVALID_ARGUMENT, message: `cannot listen on ${protocol} ${addr}` });
  });
});
