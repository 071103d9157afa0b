import { decodePacket, type Packet } from "@anyrunner/filesync";
import { GrpcError, GrpcStatus, openGrpcStream, type Http2Connection } from "@anyrunner/protocol";

import { describeAnswer } from "./describe-answer.ts";
import { readConversation } from "./exchange.ts";
import { createPathMapping, type PathMapping } from "./path-mapping.ts";
import { readCall, type CallAnswer, type RecordedCall } from "./recorded-call.ts";
import { readRecording, type RecordedScenario } from "./recording.ts";
import { describeTunnel, playTunnel, recordedPeer } from "./tunnel-call.ts";

/** One recorded call, and how this client and the official one answered it, in comparable lines. */
export interface ReplayedCall {
  readonly call: string;
  readonly recorded: readonly string[];
  readonly played: readonly string[];
}

/** What stands for the machine on which the recordings were made. */
export interface ReplayOptions {
  /** What stands for the recorded `/demo`, made by `makeRecordedHost`; absolute, without links. */
  readonly root: string;
  /** What stands for the recorded `/tmp`. */
  readonly outside: string;
  /** What stands for the recorded service of the host, as a URL such as `tcp://127.0.0.1:8080`. */
  readonly service?: string | undefined;
}

/**
 * Plays the engine's side of a recorded attachables connection to a client: every call of the engine with its messages, one after the
 * other, each message when the client's part has come far enough. Paths are translated both ways. Times of what the
 * client itself wrote are left out of the comparison.
 */
export async function replayEngine(scenario: RecordedScenario, connection: Http2Connection, options: ReplayOptions): Promise<readonly ReplayedCall[]> {
  const mapping = createPathMapping(options);
  const replayed: ReplayedCall[] = [];
  for (const exchange of readConversation(await readRecording(scenario, 2)).exchanges) {
    const call = readCall(exchange);
    const name = `${call.path} ${JSON.stringify(call.options)}`;
    if (call.mode === "tunnel") {
      const played = await playTunnel(connection, call);
      replayed.push({ call: name, recorded: await describeTunnel(call.answer, await recordedPeer(call)), played: await describeTunnel(played, played.peer) });
    } else {
      const played = await playCall(connection, withService(call, options.service), mapping);
      replayed.push({ call: name, recorded: describeAnswer(call, call.answer, undefined), played: describeAnswer(call, played, mapping) });
    }
  }
  return replayed;
}

function withService(call: RecordedCall, service: string | undefined): RecordedCall {
  if (call.mode !== "socket" || service === undefined) return call;
  return { ...call, metadata: { ...call.metadata, "x-dagger-socket-urlencoded": [service] } };
}

async function playCall(connection: Http2Connection, call: RecordedCall, mapping: PathMapping): Promise<CallAnswer> {
  const stream = openGrpcStream(connection, call.path, { metadata: translateMetadata(call, mapping) });
  const messages: Buffer[] = [];
  let wake = () => {};
  let outcome: { readonly status: number | undefined; readonly message: string } | undefined;
  const reading = (async () => {
    try {
      for await (const message of stream.messages) {
        messages.push(Buffer.from(message));
        wake();
      }
      outcome ??= { status: GrpcStatus.OK, message: "" };
    } catch (error) {
      outcome ??= GrpcError.is(error) ? { status: error.status, message: error.message } : { status: GrpcStatus.UNKNOWN, message: String(error) };
    }
    wake();
  })();
  const until = async (condition: () => boolean) => {
    while (outcome === undefined && !condition()) await new Promise<void>((resolve) => (wake = resolve));
  };

  for (const request of call.requests) {
    await until(() => mayBeSent(call, request, messages));
    if (outcome !== undefined) break;
    await stream.send(call.mode === "unary" ? translateMessage(request, mapping) : request).catch(() => {});
  }
  if (call.mode === "tree") {
    await until(() => isComplete(messages, call.requests));
    outcome ??= { status: undefined, message: "" };
    stream.cancel();
  } else if (call.mode !== "stat") stream.end();
  await reading;
  return { messages, ...(outcome as unknown as { status: number | undefined; message: string }) };
}

/** The engine serves what was asked for, asks for what was listed, and ends after the client's end. */
function mayBeSent({ mode }: RecordedCall, request: Buffer, received: readonly Buffer[]): boolean {
  if (mode !== "tree" && mode !== "write-tree") return true;
  const packet = decodePacket(request);
  const answers = received.map((message) => decodePacket(message));
  if (packet.type === "data") return answers.some((answer) => answer.type === "request" && answer.id === packet.id);
  if (packet.type === "request") return listedCount(answers) > packet.id;
  if (packet.type === "finish") return answers.some(({ type }) => type === "finish");
  return true;
}

/** The whole listing is there, and the whole of every file that was asked for. */
function isComplete(received: readonly Buffer[], requests: readonly Buffer[]): boolean {
  const answers = received.map((message) => decodePacket(message));
  const listed = answers.some((answer) => answer.type === "stat" && answer.stat === undefined);
  const ended = new Set(answers.flatMap((answer) => (answer.type === "data" && answer.data.length === 0 ? [answer.id] : [])));
  return listed && requests.map((request) => decodePacket(request)).every((packet) => packet.type !== "request" || ended.has(packet.id));
}

function listedCount(answers: readonly Packet[]): number {
  return answers.filter((answer) => answer.type === "stat" && answer.stat !== undefined).length;
}

function translateMetadata({ metadata, options }: RecordedCall, mapping: PathMapping): Record<string, readonly string[]> {
  const translated = Object.fromEntries(Object.entries(options).map(([key, value]) => [key, translateValue(value, mapping)]));
  return Object.fromEntries(
    Object.entries(metadata).map(([name, values]) => [
      name,
      name.endsWith("-opts") ? [Buffer.from(JSON.stringify(translated)).toString("base64")] : values.map((value) => mapping.toHere(value)),
    ]),
  );
}

function translateValue(value: unknown, mapping: PathMapping): unknown {
  if (typeof value === "string") return mapping.toHere(value);
  return Array.isArray(value) ? value.map((item) => translateValue(item, mapping)) : value;
}

/** Unary requests that were recorded have one text, field 1: a host or a URI. */
function translateMessage(message: Buffer, mapping: PathMapping): Buffer {
  if (message[0] !== 0x0a || message.length !== 2 + (message[1] ?? 0)) return message;
  const text = Buffer.from(mapping.toHere(message.subarray(2).toString("utf8")));
  if (text.length > 127) throw new Error("the folder of the test has too long a name");
  return Buffer.concat([Buffer.from([0x0a, text.length]), text]);
}
