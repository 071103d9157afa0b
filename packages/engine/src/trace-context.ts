import { randomBytes } from "node:crypto";

/** A W3C trace context. The engine records telemetry only for requests that carry a sampled one (engine protocol 4.1). */
export interface TraceContext {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
}

/** Continues the trace of the surrounding process (`TRACEPARENT`) under a new span, or begins a new one. */
export function createTraceContext(env: Readonly<Record<string, string | undefined>>): TraceContext {
  const parent = parseTraceparent(env["TRACEPARENT"] ?? "");
  return { traceId: parent?.traceId ?? randomBytes(16).toString("hex"), spanId: randomBytes(8).toString("hex") };
}

/** The value of the header `traceparent`, or of the variable `TRACEPARENT`: sampled. */
export function formatTraceparent({ traceId, spanId }: TraceContext): string {
  return `00-${traceId}-${spanId}-01`;
}

/** What such a value says; `undefined` for what is none, or names no trace. */
export function parseTraceparent(text: string): TraceContext | undefined {
  const match = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/.exec(text.trim());
  if (match?.[1] === undefined || match[2] === undefined || /^0+$/.test(match[1]) || /^0+$/.test(match[2])) return undefined;
  return { traceId: match[1], spanId: match[2] };
}
