type Variables = Readonly<Record<string, string | undefined>>;

/**
 * The variables that make the OpenTelemetry SDK of a child send to our receiver, as `dagger run` gives them (engine protocol 6.3).
 * `endpoint` has no slash at its end; an exporter that the user chose for traces stays.
 */
export function childTelemetryVariables(endpoint: string, env: Variables): Readonly<Record<string, string>> {
  const protocol = "http/protobuf";
  return {
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: `${endpoint}/v1/traces`,
    OTEL_EXPORTER_OTLP_TRACES_LIVE: "1",
    OTEL_EXPORTER_OTLP_LOGS_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: `${endpoint}/v1/logs`,
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: `${endpoint}/v1/metrics`,
    ...(env["OTEL_TRACES_EXPORTER"] === undefined ? { OTEL_TRACES_EXPORTER: "otlp" } : {}),
  };
}

/** The baggage of the surrounding process with the span that global logs of the engine belong to, as the official client gives it. */
export function childBaggage(spanId: string, env: Variables): string {
  const own = (env["BAGGAGE"] ?? "").split(",").filter((member) => member.trim() !== "" && !member.trim().startsWith("global-logs-span="));
  return [...own, `global-logs-span=${spanId}`].join(",");
}
