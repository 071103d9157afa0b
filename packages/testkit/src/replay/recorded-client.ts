import type { Duplex } from "node:stream";

import { encodeFrame, FrameFlag, FrameType, PREFACE, readFrames, type Frame } from "./http2-frames.ts";
import type { Recording } from "./recording.ts";

/**
 * Plays the client's side of a recording to an engine: its very frames, each as soon as the engine's part of the conversation has come
 * far enough for it to make sense. What answers the engine's own pings is left out. Resolves, with both directions as a
 * recording of their own, when everything was said and, on a connection where the client asks, answered.
 */
export async function playRecordedClient(recording: Recording, stream: Duplex): Promise<Recording> {
  const heard = listen(stream);
  const said: Buffer[] = [];
  const say = (bytes: Buffer) => {
    said.push(bytes);
    stream.write(bytes);
  };

  const headEnd = recording.c2s.indexOf("\r\n\r\n") + 4;
  const attaches = recording.c2s.subarray(0, 4).toString("latin1") === "GET ";
  let frameStart = PREFACE.length;
  if (attaches) {
    say(recording.c2s.subarray(0, headEnd));
    await heard.until(() => heard.head() !== undefined || heard.over());
    if (heard.head()?.startsWith("HTTP/0.0 101 ") !== true) {
      await heard.until(heard.over);
      return { c2s: Buffer.concat(said), s2c: heard.bytes() };
    }
    say(recording.c2s.subarray(headEnd, headEnd + 1));
    frameStart = headEnd + 1;
  } else say(recording.c2s.subarray(0, PREFACE.length));

  const opened = new Set<number>();
  for (const frame of readFrames(recording.c2s.subarray(frameStart)).frames) {
    if (answersPing(frame) || frame.type === FrameType.GOAWAY) continue;
    await heard.until(() => heard.over() || mayBeSaid(frame, { attaches, frames: heard.frames(), opened }));
    if (heard.over()) break;
    say(encodeFrame(frame));
    if (frame.type === FrameType.HEADERS) opened.add(frame.streamId);
  }
  if (!attaches) await heard.until(() => heard.over() || [...opened].every((id) => hasEnded(heard.frames(), id)));
  return { c2s: Buffer.concat(said), s2c: heard.bytes() };
}

function answersPing({ type, flags }: Frame): boolean {
  return type === FrameType.PING && (flags & FrameFlag.ACK) !== 0;
}

function mayBeSaid(frame: Frame, state: { readonly attaches: boolean; readonly frames: readonly Frame[]; readonly opened: ReadonlySet<number> }): boolean {
  const { attaches, frames, opened } = state;
  if (frame.type === FrameType.SETTINGS && frame.flags & FrameFlag.ACK)
    return frames.some(({ type, flags }) => type === FrameType.SETTINGS && (flags & FrameFlag.ACK) === 0);
  if (frame.streamId === 0) return true;
  if (attaches) return frames.some(({ type, streamId }) => type === FrameType.HEADERS && streamId === frame.streamId);
  const begins = frame.type === FrameType.HEADERS && !opened.has(frame.streamId);
  // Event streams stay open; one that has begun to answer lets the next begin.
  return !begins || [...opened].every((id) => frames.some(({ type, streamId }) => type === FrameType.DATA && streamId === id) || hasEnded(frames, id));
}

function hasEnded(frames: readonly Frame[], id: number): boolean {
  return frames.some(
    ({ type, streamId, flags }) =>
      streamId === id && (type === FrameType.RST_STREAM || ((type === FrameType.DATA || type === FrameType.HEADERS) && (flags & FrameFlag.END_STREAM) !== 0)),
  );
}

/** Everything that arrives, and a way to wait for what it says. */
function listen(stream: Duplex) {
  const chunks: Buffer[] = [];
  let over = false;
  let waiting: (() => void) | undefined;
  const changed = () => waiting?.();
  stream.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    changed();
  });
  stream.on("error", () => {});
  for (const event of ["end", "close"]) {
    stream.once(event, () => {
      over = true;
      changed();
    });
  }
  const bytes = () => Buffer.concat(chunks);
  const head = () => {
    const text = bytes();
    const end = text.indexOf("\r\n\r\n");
    return text.subarray(0, 5).toString("latin1") === "HTTP/" && end >= 0 ? text.subarray(0, end + 4).toString("latin1") : undefined;
  };
  return {
    bytes,
    head,
    over: () => over,
    frames: (): readonly Frame[] => {
      const upgraded = head();
      const rest = bytes().subarray(upgraded === undefined ? 0 : upgraded.length);
      return readFrames(rest.subarray(0, PREFACE.length).equals(PREFACE) ? rest.subarray(PREFACE.length) : rest).frames;
    },
    async until(condition: () => boolean): Promise<void> {
      while (!condition()) await new Promise<void>((resolve) => (waiting = resolve));
    },
  };
}
