import type { LogRecord, SpanAttributes, SpanRecord } from "./span.ts";

/** What an unfinished span ends with: Go's zero time as unsigned nanoseconds (protocol 7.2). */
const UNFINISHED = "11651379494838206464";
const RESOURCE = { attributes: attributeList({ "service.name": "anyrunner-embedded" }) };

/** `ExportTraceServiceRequest` as protobuf-JSON: ids in base64, 64-bit numbers as strings, enums by name. */
export function spansToJson(spans: readonly SpanRecord[]): string {
  return JSON.stringify({ resourceSpans: [{ resource: RESOURCE, scopeSpans: [{ scope: { name: "anyrunner.io/embedded" }, spans: spans.map(spanToJson) }] }] });
}

/** `ExportLogsServiceRequest` as protobuf-JSON. */
export function logsToJson(logs: readonly LogRecord[]): string {
  return JSON.stringify({ resourceLogs: [{ resource: RESOURCE, scopeLogs: [{ scope: { name: "anyrunner.io/embedded" }, logRecords: logs.map(logToJson) }] }] });
}

function spanToJson(span: SpanRecord): object {
  return {
    traceId: base64(span.traceId),
    spanId: base64(span.spanId),
    ...(span.parentSpanId === undefined ? {} : { parentSpanId: base64(span.parentSpanId) }),
    flags: 256,
    name: span.name,
    kind: "SPAN_KIND_INTERNAL",
    startTimeUnixNano: String(span.startNs),
    endTimeUnixNano: span.endNs === undefined ? UNFINISHED : String(span.endNs),
    attributes: attributeList(span.attributes),
    status: statusOf(span),
  };
}

function statusOf(span: SpanRecord): object {
  if (span.error !== undefined) return { code: "STATUS_CODE_ERROR", message: span.error };
  return span.ok ? { code: "STATUS_CODE_OK" } : {};
}

function logToJson(log: LogRecord): object {
  return {
    timeUnixNano: String(log.timeNs),
    body: { stringValue: log.text },
    attributes: [{ key: "stdio.stream", value: { intValue: String(log.stream) } }, ...(log.eof ? [{ key: "stdio.eof", value: { boolValue: true } }] : [])],
    traceId: base64(log.traceId),
    spanId: base64(log.spanId),
  };
}

function attributeList(attributes: SpanAttributes): object[] {
  return Object.entries(attributes).map(([key, value]) => ({ key, value: typeof value === "string" ? { stringValue: value } : { boolValue: value } }));
}

function base64(hex: string): string {
  return Buffer.from(hex, "hex").toString("base64");
}
