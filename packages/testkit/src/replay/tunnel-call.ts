import { once } from "node:events";
import { createConnection } from "node:net";

import { openGrpcStream, TunnelListener, type Http2Connection } from "@anyrunner/protocol";

import type { CallAnswer, RecordedCall } from "./recorded-call.ts";

/** What one side of a tunnel saw: the client's messages, and what its local peer was given. */
export interface TunnelAnswer extends CallAnswer {
  readonly peer: Buffer;
}

/**
 * Plays a recorded tunnel of one connection to a client: asks it to listen, connects as the local peer and says what that said, gives it the
 * recorded answers under the name that the client chose, then cancels.
 */
export async function playTunnel(connection: Http2Connection, call: RecordedCall): Promise<TunnelAnswer> {
  const codec = await TunnelListener.listen.codec();
  const stream = openGrpcStream(connection, call.path, { metadata: call.metadata });
  const messages: Buffer[] = [];
  const arrived = stream.messages[Symbol.asyncIterator]();
  const receive = async () => {
    const { done, value } = await arrived.next();
    if (done === true) throw new Error("the client ended the tunnel");
    messages.push(Buffer.from(value));
    return codec.decodeResponse(value);
  };
  const [listen, ...answers] = call.requests.map((request) => codec.decodeRequest(request));
  await stream.send(codec.encodeRequest(listen ?? {}));
  const { addr } = await receive();
  const peer = createConnection({ port: Number(addr.slice(addr.lastIndexOf(":") + 1)), host: "127.0.0.1", allowHalfOpen: true });
  try {
    await once(peer, "connect");
    const { connId } = await receive();
    const said = recordedQuestion(codec, call.answer.messages);
    peer.write(said);
    for (let heard = 0; heard < said.length;) heard += (await receive()).data.length;
    for (const answer of answers) await stream.send(codec.encodeRequest({ ...answer, connId }));
    const chunks: Buffer[] = [];
    for await (const chunk of peer) chunks.push(chunk as Buffer);
    return { messages, status: undefined, message: "", peer: Buffer.concat(chunks) };
  } finally {
    peer.destroy();
    stream.cancel();
    // The rest of the call, so that its end is seen by somebody.
    await arrived.next().catch(() => {});
  }
}

/** A tunnel in lines: where it listened but for the port, which connections it named, what each side said. */
export async function describeTunnel(answer: CallAnswer, peer: Buffer): Promise<readonly string[]> {
  const codec = await TunnelListener.listen.codec();
  const names: string[] = [];
  const said: Buffer[] = [];
  const lines: string[] = [];
  for (const { addr, connId, data } of answer.messages.map((message) => codec.decodeResponse(message))) {
    if (addr !== "") lines.push(`listens on ${addr.replace(/:\d+$/, ":port")}`);
    else if (!names.includes(connId)) lines.push(`connection ${names.push(connId)} from ${connId.replace(/:\d+.*$/, "")}`);
    said.push(Buffer.from(data));
  }
  return [...lines, `peer said ${Buffer.concat(said).toString("hex")}`, `peer heard ${peer.toString("hex")}`];
}

/** What the engine sent to the only connection. */
export async function recordedPeer(call: RecordedCall): Promise<Buffer> {
  const codec = await TunnelListener.listen.codec();
  return Buffer.concat(call.requests.map((request) => codec.decodeRequest(request).data));
}

function recordedQuestion(codec: Awaited<ReturnType<typeof TunnelListener.listen.codec>>, messages: readonly Uint8Array[]): Buffer {
  return Buffer.concat(messages.map((message) => codec.decodeResponse(message).data));
}
