import { headerList, type HeaderList } from "../header-list.ts";

const END_OF_HEAD = Buffer.from("\r\n\r\n");

/** Number of bytes up to and including the empty line, once it is there. */
export function headLength(received: Buffer): number | undefined {
  const index = received.indexOf(END_OF_HEAD);
  return index < 0 ? undefined : index + END_OF_HEAD.length;
}

export interface ResponseHead {
  readonly status: number;
  readonly headers: HeaderList;
}

/** Reads the head of an answer. Any protocol version passes: the engine's upgrade says `HTTP/0.0`. */
export function parseResponseHead(head: Buffer): ResponseHead | undefined {
  const [first = "", ...lines] = headLines(head);
  const match = /^HTTP\/\d\.\d (\d{3})(?: |$)/.exec(first);
  return match === null ? undefined : { status: Number(match[1]), headers: parseHeaders(lines) };
}

export interface RequestHead {
  readonly method: string;
  /** Path with query. */
  readonly target: string;
  readonly headers: HeaderList;
}

export function parseRequestHead(head: Buffer): RequestHead | undefined {
  const [first = "", ...lines] = headLines(head);
  const match = /^([A-Z]+) (\S+) HTTP\/1\.[01]$/.exec(first);
  return match === null ? undefined : { method: match[1] as string, target: match[2] as string, headers: parseHeaders(lines) };
}

/** Writes a head; fails where a line break would smuggle in another header. */
export function formatHead(firstLine: string, headers: readonly (readonly [name: string, value: string])[]): Buffer {
  const lines = [firstLine, ...headers.map(([name, value]) => `${name}: ${value}`)];
  const broken = lines.find((line) => /[\r\n\0]/.test(line));
  if (broken !== undefined) throw new TypeError(`line break in the header ${broken.slice(0, broken.indexOf(":") + 1)}`);
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
}

function headLines(head: Buffer): string[] {
  return head.toString("latin1").trimEnd().split("\r\n");
}

function parseHeaders(lines: readonly string[]): HeaderList {
  return headerList(
    lines.flatMap((line) => {
      const colon = line.indexOf(":");
      return colon <= 0 ? [] : [[line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()] as const];
    }),
  );
}
