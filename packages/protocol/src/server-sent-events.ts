/** One event of a `text/event-stream`. */
export interface ServerSentEvent {
  /** The last id that the stream gave, this event's own included; "" before the first. */
  readonly id: string;
  readonly event: string;
  /** Data lines, joined by line feeds. */
  readonly data: string;
}

export interface ServerSentEventsOptions {
  /** Largest event, in bytes; a longer one fails the stream. Default 64 MiB: one line of telemetry may have several. */
  readonly limitBytes?: number | undefined;
}

const LINE_FEED = 0x0a;

/** Reads the events of a body. An event without a data line is skipped, as is one that the end of the body cuts off. */
export async function* readServerSentEvents(
  body: AsyncIterable<Uint8Array>,
  options: ServerSentEventsOptions = {},
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const limitBytes = options.limitBytes ?? 64 * 1024 * 1024;
  let id = "";
  let event = "message";
  let data: string[] = [];
  let eventBytes = 0;

  for await (const line of readLines(body, limitBytes)) {
    eventBytes += line.length;
    if (eventBytes > limitBytes) throw tooLong(limitBytes);
    if (line === "") {
      if (data.length > 0) yield { id, event, data: data.join("\n") };
      event = "message";
      data = [];
      eventBytes = 0;
      continue;
    }
    const [field, value] = splitField(line);
    if (field === "data") data.push(value);
    else if (field === "event") event = value;
    else if (field === "id" && !value.includes("\0")) id = value;
  }
}

async function* readLines(body: AsyncIterable<Uint8Array>, limitBytes: number): AsyncGenerator<string, void, undefined> {
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      pieces.push(chunk.subarray(start, end));
      const line = Buffer.concat(pieces).toString("utf8");
      yield line.endsWith("\r") ? line.slice(0, -1) : line;
      pieces = [];
      bytes = 0;
      start = end + 1;
    }
    if (start === chunk.length) continue;
    pieces.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > limitBytes) throw tooLong(limitBytes);
  }
}

/** A line that begins with a colon is a comment: its field has no name. */
function splitField(line: string): readonly [field: string, value: string] {
  const colon = line.indexOf(":");
  if (colon < 0) return [line, ""];
  const value = line.slice(colon + 1);
  return [line.slice(0, colon), value.startsWith(" ") ? value.slice(1) : value];
}

function tooLong(limitBytes: number): Error {
  return new Error(`a server-sent event is longer than ${limitBytes} bytes`);
}
