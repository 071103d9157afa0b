import { TELEMETRY_SIGNALS, type TelemetrySignal } from "@anyrunner/protocol";

type Variables = Readonly<Record<string, string | undefined>>;

/** Where the user wants telemetry to go, by OpenTelemetry's own variables. */
export interface ExportTarget {
  readonly signal: TelemetrySignal;
  readonly url: URL;
  readonly format: "protobuf" | "json";
  /** May hold credentials. */
  readonly headers: Readonly<Record<string, string>>;
  /** For one request. */
  readonly timeoutMs: number;
}

/** The variables that name a target which can't be used, and why. */
export interface RefusedTarget {
  readonly variable: string;
  readonly reason: string;
}

const TIMEOUT_MS = 10_000;

/** Reads `OTEL_EXPORTER_OTLP_*` and `OTEL_<SIGNAL>_EXPORTER`; what belongs to one signal wins. */
export function exportTargets(env: Variables): { readonly targets: readonly ExportTarget[]; readonly refused: readonly RefusedTarget[] } {
  const targets: ExportTarget[] = [];
  const refused: RefusedTarget[] = [];
  if (env["OTEL_SDK_DISABLED"]?.toLowerCase() === "true") return { targets, refused };
  for (const signal of TELEMETRY_SIGNALS) {
    const exporter = env[`OTEL_${signal.toUpperCase()}_EXPORTER`];
    if (exporter && !exporter.split(",").some((name) => name.trim() === "otlp")) continue;
    const [variable, url] = endpointOf(signal, env);
    if (variable === undefined) continue;
    const protocol = setting(signal, "PROTOCOL", env) ?? "http/protobuf";
    if (url === undefined) refused.push({ variable, reason: "is no http:// or https:// URL" });
    else if (protocol !== "http/protobuf" && protocol !== "http/json") refused.push({ variable, reason: `is asked for by protocol ${protocol}` });
    else {
      const timeout = Number(setting(signal, "TIMEOUT", env));
      targets.push({
        signal,
        url,
        format: protocol === "http/json" ? "json" : "protobuf",
        headers: readHeaders(setting(signal, "HEADERS", env) ?? ""),
        timeoutMs: timeout > 0 ? timeout : TIMEOUT_MS,
      });
    }
  }
  return { targets, refused };
}

function endpointOf(signal: TelemetrySignal, env: Variables): readonly [variable: string | undefined, url?: URL | undefined] {
  const own = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_ENDPOINT`;
  if (env[own]) return [own, httpUrl(env[own])];
  const general = "OTEL_EXPORTER_OTLP_ENDPOINT";
  if (!env[general]) return [undefined];
  const url = httpUrl(env[general]);
  if (url !== undefined) url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/${signal}`;
  return [general, url];
}

function setting(signal: TelemetrySignal, name: string, env: Variables): string | undefined {
  return env[`OTEL_EXPORTER_OTLP_${signal.toUpperCase()}_${name}`] || env[`OTEL_EXPORTER_OTLP_${name}`] || undefined;
}

function httpUrl(text: string): URL | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  return url?.protocol === "http:" || url?.protocol === "https:" ? url : undefined;
}

function readHeaders(text: string): Readonly<Record<string, string>> {
  const headers: Record<string, string> = {};
  for (const member of text.split(",")) {
    const equals = member.indexOf("=");
    const name = member.slice(0, Math.max(equals, 0)).trim();
    const value = decode(member.slice(equals + 1).trim());
    if (/^[\w!#$%&'*+.^`|~-]+$/.test(name) && !/[\r\n\0]/.test(value)) headers[name.toLowerCase()] = value;
  }
  return headers;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
