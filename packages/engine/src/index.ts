// A session on an engine.
export { openSession, type EngineSession, type SessionEnd } from "./session.ts";
export type { OpenSessionOptions } from "./open-session-options.ts";
export type { EngineInfo } from "./engine-info.ts";
export type { SessionRequest } from "./session-request.ts";
export { graphqlErrorText, queryFailed, type GraphqlError, type GraphqlRequest, type GraphqlResponse } from "./query.ts";
export { readAnswer, type ReadAnswerOptions } from "./read-answer.ts";

// What its pipelines may ask of this machine.
export type { AttachableSettings, ClientPipe, ClientPrompt, ClientTerminal, ImageOptions, ImageStore, PromptQuestion } from "./attachables/index.ts";

// The session for other programs: a port for their SDKs, and the trace to go on with.
export { serveSession, type ServeSessionOptions, type SessionServer } from "./session-port/serve-session.ts";
export { formatTraceparent, parseTraceparent, type TraceContext } from "./trace-context.ts";
export { childBaggage, childTelemetryVariables } from "./telemetry/child-variables.ts";

// An engine without a session: whether it answers, and which it is.
export { createReadiness, type ReadinessOptions } from "./create-readiness.ts";
export { openControlConnection, type ControlConnection } from "./control-connection.ts";
export { retryTransient, systemClock, type Clock, type RetryOptions } from "./retry.ts";

// A bridge: a runner as an endpoint for official clients.
export { serveBridge, type Bridge, type BridgeCounts, type ServeBridgeOptions } from "./bridge/serve-bridge.ts";
export { removeSocketFolder } from "./bridge/socket-folder.ts";
export { parseListenUrl, type ListenAddress } from "@anyrunner/protocol";

// Telemetry: what a session tells, from where it comes and where it goes.
export { emitBatch, type TelemetryBatch, type TelemetryBatchListener, type TelemetryEvent, type TelemetryListener } from "./telemetry/batch.ts";
export type { Attributes, AttributeValue, LogRecord, Span } from "./telemetry/records.ts";
export { serveTelemetry, type ServeTelemetryOptions, type TelemetryReceiver } from "./telemetry/serve-telemetry.ts";
export { exportTelemetry, type ExportTelemetryOptions, type SendTelemetry, type TelemetryExport } from "./telemetry/export-telemetry.ts";
export type { ExportTarget } from "./telemetry/export-targets.ts";
export { saveTelemetry } from "./telemetry/telemetry-file.ts";
export { createRepeatFilter } from "./telemetry/drop-repeats.ts";
export { createTelemetryMask, type TelemetryMask } from "./telemetry/mask-telemetry.ts";
export { createSpanTitle, type SpanTitle } from "./telemetry/span-title.ts";
