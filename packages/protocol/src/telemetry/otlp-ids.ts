const ID_NAMES = new Set(["traceId", "spanId", "parentSpanId"]);

/** The request with its ids in hexadecimal, as OTLP's own JSON has them. */
export function toHexIds(request: unknown): unknown {
  return mapIds(request, (id) => Buffer.from(id, "base64").toString("hex"));
}

/** The request with its ids in base64, as protobuf-JSON has them. */
export function toBase64Ids(request: unknown): unknown {
  return mapIds(request, (id) => Buffer.from(id, "hex").toString("base64"));
}

function mapIds(value: unknown, change: (id: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapIds(item, change));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, ID_NAMES.has(name) && typeof item === "string" ? change(item) : mapIds(item, change)]),
  );
}
