/** A span as the engine sends it: once when it starts, again when it ends; the newest wins. */
export interface Span {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly startTimeUnixNano: bigint;
  /** `undefined` while it runs. */
  readonly endTimeUnixNano: bigint | undefined;
  readonly attributes: Attributes;
  readonly failed: boolean;
  readonly statusMessage: string;
  /** Ids of the spans that this one goes on with: their work is done when it has ended, and they fail with it. */
  readonly continues: readonly string[];
}

/** A piece of output, of the span that wrote it. */
export interface LogRecord {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly timeUnixNano: bigint;
  readonly text: string;
  readonly attributes: Attributes;
}

/** A value of OpenTelemetry; integers are `bigint`, since they have 64 bits. */
export type AttributeValue = string | boolean | bigint | number | readonly AttributeValue[] | undefined;
/** The attributes of a span or a log record, by their keys (`dagger.io/…`). */
export type Attributes = Readonly<Record<string, AttributeValue>>;

/** The spans of an `ExportTraceServiceRequest` in protobuf-JSON; what has not the expected shape is left out (engine protocol 7.2). */
export function readSpans(message: unknown): readonly Span[] {
  return scoped(message, "resourceSpans", "scopeSpans", "spans").map((span) => {
    const start = nanoseconds(span["startTimeUnixNano"]);
    const end = nanoseconds(span["endTimeUnixNano"]);
    const status = asObject(span["status"]);
    return {
      traceId: hexId(span["traceId"]),
      spanId: hexId(span["spanId"]),
      parentSpanId: span["parentSpanId"] ? hexId(span["parentSpanId"]) : undefined,
      name: asText(span["name"]),
      startTimeUnixNano: start,
      endTimeUnixNano: isRunning(span) ? undefined : end,
      attributes: readAttributes(span["attributes"]),
      failed: status["code"] === "STATUS_CODE_ERROR" || status["code"] === 2,
      statusMessage: asText(status["message"]),
      continues: readContinued(span["links"]),
    };
  });
}

/** Whether a span in protobuf-JSON has not ended: it then ends at Go's zero time, long before its start. */
export function isRunning(span: Readonly<Record<string, unknown>>): boolean {
  return nanoseconds(span["endTimeUnixNano"]) < nanoseconds(span["startTimeUnixNano"]);
}

/** The records of an `ExportLogsServiceRequest` in protobuf-JSON. */
export function readLogs(message: unknown): readonly LogRecord[] {
  return scoped(message, "resourceLogs", "scopeLogs", "logRecords").map((record) => {
    const body = readValue(record["body"]);
    return {
      traceId: hexId(record["traceId"]),
      spanId: hexId(record["spanId"]),
      timeUnixNano: nanoseconds(record["timeUnixNano"]),
      text: typeof body === "string" ? body : "",
      attributes: readAttributes(record["attributes"]),
    };
  });
}

type Plain = Readonly<Record<string, unknown>>;

function scoped(message: unknown, resources: string, scopes: string, items: string): readonly Plain[] {
  return asList(asObject(message)[resources]).flatMap((resource) => asList(resource[scopes]).flatMap((scope) => asList(scope[items])));
}

/** Links of other purposes name where an error came from, or what was waited for (engine protocol 7.3). */
function readContinued(links: unknown): readonly string[] {
  const causes = asList(links).filter((link) => {
    const purpose = readAttributes(link["attributes"])["dagger.io/link.purpose"];
    return purpose === undefined || purpose === "cause";
  });
  return [...new Set(causes.map((link) => hexId(link["spanId"])))];
}

function readAttributes(value: unknown): Attributes {
  return Object.fromEntries(asList(value).map((attribute) => [asText(attribute["key"]), readValue(attribute["value"])]));
}

function readValue(value: unknown): AttributeValue {
  const { stringValue, boolValue, intValue, doubleValue, arrayValue } = asObject(value);
  if (typeof stringValue === "string") return stringValue;
  if (typeof boolValue === "boolean") return boolValue;
  if (typeof intValue === "string" || typeof intValue === "number") return integer(intValue);
  if (typeof doubleValue === "number") return doubleValue;
  if (arrayValue !== undefined) return asList(asObject(arrayValue)["values"]).map(readValue);
  return undefined;
}

/** Ids are base64 in protobuf-JSON, not hexadecimal as in OTLP's own JSON. */
function hexId(value: unknown): string {
  return typeof value === "string" ? Buffer.from(value, "base64").toString("hex") : "";
}

function nanoseconds(value: unknown): bigint {
  return typeof value === "string" || typeof value === "number" ? BigInt.asIntN(64, integer(value)) : 0n;
}

function integer(value: string | number): bigint {
  return /^-?\d+$/.test(String(value)) ? BigInt(value) : 0n;
}

function asObject(value: unknown): Plain {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Plain) : {};
}

function asList(value: unknown): readonly Plain[] {
  return Array.isArray(value) ? value.map(asObject) : [];
}

function asText(value: unknown): string {
  return typeof value === "string" ? value : "";
}
