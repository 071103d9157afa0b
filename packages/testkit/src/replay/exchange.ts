import { createHeaderDecoder, type Header } from "./hpack.ts";
import { FrameFlag, framePayload, FrameType, PREFACE, readFrames, type Frame } from "./http2-frames.ts";
import type { Recording } from "./recording.ts";

/** One side's part of an HTTP/2 exchange. */
export interface ExchangeSide {
  /** The first header block; empty when this side never answered. */
  readonly headers: readonly Header[];
  readonly body: Buffer;
  /** The second header block. */
  readonly trailers: readonly Header[];
  /** Whether this side ended its half in order. */
  readonly ended: boolean;
  /** Code with which this side reset the stream. */
  readonly reset: number | undefined;
}

/** One HTTP/2 stream: a request and its answer. */
export interface Exchange {
  readonly streamId: number;
  readonly request: ExchangeSide;
  readonly response: ExchangeSide;
}

/** All that was said on one recorded connection. */
export interface RecordedConversation {
  /** The HTTP/1 heads before roles turned on an attachables connection; the answer includes what an error's body says. */
  readonly upgrade: { readonly request: string; readonly response: string } | undefined;
  /** In the order in which they were begun. On an attachables connection the engine asks and the client answers. */
  readonly exchanges: readonly Exchange[];
}

/** Reads a recording as a conversation: HTTP/2 frames with decoded headers, by stream. */
export function readConversation(recording: Recording): RecordedConversation {
  const isUpgrade = recording.c2s.subarray(0, 4).toString("latin1") === "GET ";
  const { asking, answering, upgrade } = isUpgrade ? splitUpgrade(recording) : { asking: recording.c2s, answering: recording.s2c, upgrade: undefined };
  const requests = readSides(asking.subarray(PREFACE.length));
  const responses = readSides(answering);
  return {
    upgrade,
    exchanges: [...requests].map(([streamId, request]) => ({ streamId, request, response: responses.get(streamId) ?? newSide() })),
  };
}

/** The value of a header or trailer. */
export function headerOf(headers: readonly Header[], name: string): string | undefined {
  return headers.find(([candidate]) => candidate === name)?.[1];
}

/** The gRPC messages in a body. */
export function grpcMessages(body: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let offset = 0; offset + 5 <= body.length;) {
    const end = offset + 5 + body.readUInt32BE(offset + 1);
    messages.push(body.subarray(offset + 5, end));
    offset = end;
  }
  return messages;
}

function splitUpgrade({ c2s, s2c }: Recording) {
  const requestEnd = c2s.indexOf("\r\n\r\n") + 4;
  const responseEnd = s2c.indexOf("\r\n\r\n") + 4;
  const response = s2c.subarray(0, responseEnd).toString("latin1");
  const switched = response.startsWith("HTTP/0.0 101 ");
  return {
    upgrade: { request: c2s.subarray(0, requestEnd).toString("latin1"), response: switched ? response : s2c.toString("latin1") },
    // The engine is the client of what follows; the client's first byte only acknowledges.
    asking: switched ? s2c.subarray(responseEnd) : Buffer.alloc(0),
    answering: switched ? c2s.subarray(requestEnd + 1) : Buffer.alloc(0),
  };
}

type MutableSide = { -readonly [Key in keyof ExchangeSide]: ExchangeSide[Key] };

function newSide(): MutableSide {
  return { headers: [], body: Buffer.alloc(0), trailers: [], ended: false, reset: undefined };
}

function readSides(bytes: Buffer): Map<number, ExchangeSide> {
  const decoder = createHeaderDecoder();
  const sides = new Map<number, MutableSide>();
  let block: Frame[] = [];
  for (const frame of readFrames(bytes).frames) {
    if (frame.streamId === 0) continue;
    const side = sides.get(frame.streamId) ?? newSide();
    sides.set(frame.streamId, side);
    if (frame.type === FrameType.DATA) side.body = Buffer.concat([side.body, framePayload(frame)]);
    if (frame.type === FrameType.RST_STREAM) side.reset = frame.payload.readUInt32BE(0);
    if (frame.type === FrameType.HEADERS || frame.type === FrameType.CONTINUATION) {
      block = frame.type === FrameType.HEADERS ? [frame] : [...block, frame];
      if (frame.flags & FrameFlag.END_HEADERS) {
        const headers = decoder.decode(Buffer.concat(block.map(framePayload)));
        if (side.headers.length === 0) side.headers = headers;
        else side.trailers = headers;
      }
    }
    const endsHere = frame.type === FrameType.DATA || frame.type === FrameType.HEADERS;
    if (endsHere && frame.flags & FrameFlag.END_STREAM) side.ended = true;
  }
  return sides;
}
