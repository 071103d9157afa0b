import type { DescMessage, JsonValue } from "@bufbuild/protobuf";

import { toHexIds } from "./otlp-ids.ts";

/** The three kinds of OpenTelemetry's data. */
export const TELEMETRY_SIGNALS = ["traces", "logs", "metrics"] as const;
export type TelemetrySignal = (typeof TELEMETRY_SIGNALS)[number];

/** Converts OTLP export requests between protobuf and the protobuf-JSON in which engines send them (engine protocol 7.2). */
export interface OtlpCodec {
  /** Fails with the reason when the bytes are no request of this signal. Fields that are too new to be known are left out. */
  decode(signal: TelemetrySignal, bytes: Uint8Array): unknown;
  /** Fails when the value has not the shape of a request of this signal; unknown fields are left out. */
  encode(signal: TelemetrySignal, request: unknown): Uint8Array;
  /** OTLP's own JSON, in one line: ids in hexadecimal, enums as numbers. */
  toOtlpJson(signal: TelemetrySignal, request: unknown): string;
}

/** Loads the codec; the descriptors cost too much for a command that has no use for them. */
export async function loadOtlpCodec(): Promise<OtlpCodec> {
  const [{ fromBinary, fromJson, toBinary, toJson }, generated] = await Promise.all([import("@bufbuild/protobuf"), import("../gen/otlp_pb.ts")]);
  const schemas: Readonly<Record<TelemetrySignal, DescMessage>> = {
    traces: generated.ExportTraceServiceRequestSchema,
    logs: generated.ExportLogsServiceRequestSchema,
    metrics: generated.ExportMetricsServiceRequestSchema,
  };
  const read = (signal: TelemetrySignal, request: unknown) => fromJson(schemas[signal], request as JsonValue, { ignoreUnknownFields: true });
  return {
    decode: (signal, bytes) => toJson(schemas[signal], fromBinary(schemas[signal], bytes)),
    encode: (signal, request) => toBinary(schemas[signal], read(signal, request)),
    toOtlpJson: (signal, request) => JSON.stringify(toHexIds(toJson(schemas[signal], read(signal, request), { enumAsInteger: true }))),
  };
}
