import { randomBytes } from "node:crypto";

/** A piece of work that the client sees: sent when it begins and again when it ends. */
export interface Span {
  readonly traceId: string;
  readonly spanId: string;
  child(name: string, attributes?: SpanAttributes): Span;
  /** Text that a command wrote; `stream` is 1 for standard output, 2 for standard error. */
  log(stream: 1 | 2, text: string): void;
  /** Ends the span; only the first call counts. */
  end(outcome?: SpanOutcome): void;
}

export type SpanAttributes = Readonly<Record<string, string | boolean>>;

export interface SpanOutcome {
  readonly error?: string | undefined;
  readonly cached?: boolean | undefined;
  readonly canceled?: boolean | undefined;
}

export interface SpanRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startNs: bigint;
  /** Absent while it runs. */
  readonly endNs: bigint | undefined;
  readonly attributes: SpanAttributes;
  readonly error: string | undefined;
  readonly ok: boolean;
}

export interface LogRecord {
  readonly traceId: string;
  readonly spanId: string;
  readonly timeNs: bigint;
  readonly stream: 1 | 2;
  readonly text: string;
  /** The last record of the stream. */
  readonly eof: boolean;
}

export interface SpanSink {
  span(record: SpanRecord): void;
  log(record: LogRecord): void;
}

/** The parent that a W3C `traceparent` header names; `undefined` when it is absent, malformed or not sampled. */
export function parseTraceparent(header: string | undefined): { readonly traceId: string; readonly spanId: string } | undefined {
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(header ?? "");
  if (match === null || (Number.parseInt(match[3] as string, 16) & 1) === 0) return undefined;
  return { traceId: match[1] as string, spanId: match[2] as string };
}

export function startSpan(
  sink: SpanSink,
  name: string,
  options: { readonly traceId: string; readonly parentSpanId?: string | undefined; readonly attributes?: SpanAttributes | undefined },
): Span {
  const spanId = randomBytes(8).toString("hex");
  const base = { traceId: options.traceId, spanId, parentSpanId: options.parentSpanId, name, startNs: nowNs() };
  const attributes = options.attributes ?? {};
  const streams = new Set<1 | 2>();
  let ended = false;
  sink.span({ ...base, endNs: undefined, attributes, error: undefined, ok: false });
  return {
    traceId: options.traceId,
    spanId,
    child: (childName, childAttributes) => startSpan(sink, childName, { traceId: options.traceId, parentSpanId: spanId, attributes: childAttributes }),
    log(stream, text) {
      streams.add(stream);
      sink.log({ traceId: options.traceId, spanId, timeNs: nowNs(), stream, text, eof: false });
    },
    end(outcome = {}) {
      if (ended) return;
      ended = true;
      for (const stream of streams) sink.log({ traceId: options.traceId, spanId, timeNs: nowNs(), stream, text: "", eof: true });
      const extra = { ...(outcome.cached ? { "dagger.io/dag.cached": true } : {}), ...(outcome.canceled ? { "dagger.io/dag.canceled": true } : {}) };
      sink.span({
        ...base,
        endNs: nowNs(),
        attributes: { ...attributes, ...extra },
        error: outcome.error,
        ok: outcome.error === undefined && !outcome.canceled,
      });
    },
  };
}

/** Does `work` under a span of its own below `parent`; how it ends is how the span ends. */
export async function inSpan<T>(parent: Span | undefined, name: string, work: () => Promise<T>): Promise<T> {
  const span = parent?.child(name);
  try {
    const result = await work();
    span?.end();
    return result;
  } catch (error) {
    span?.end({ error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

// The wall clock at start plus a monotonic part: an end is never before its start.
const EPOCH_NS = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();

function nowNs(): bigint {
  return EPOCH_NS + process.hrtime.bigint();
}
