// HTTP/2 and gRPC over any Duplex.
export { openHttp2Connection, type Http2Connection, type Http2ConnectionOptions } from "./http2/connection.ts";
export type { OpenStreamOptions, StreamOpener } from "./http2/open-stream.ts";
export type { Http2Request, Http2Response } from "./http2/request.ts";
export { readText } from "./http2/response-body.ts";
export { openGrpcStream, type GrpcCallOptions, type GrpcStream } from "./grpc/client-stream.ts";
export { callUnary, unaryHandler } from "./grpc/unary.ts";
export { serveGrpc, serveHttp2, type GrpcServer, type GrpcServerOptions, type Http2StreamHandler } from "./grpc/server.ts";
export type { GrpcCall, GrpcHandler, GrpcRoutes } from "./grpc/serve-call.ts";
export type { GrpcMetadata, GrpcMetadataInit } from "./grpc/metadata.ts";
export { protobufMethod, type ClientCodec, type GrpcCodec, type GrpcMethod, type ProtobufCodec, type ServerCodec } from "./grpc/method.ts";
export { GrpcError, GrpcStatus, type GrpcStatusName } from "./grpc/status.ts";

// The engine's services.
export { Auth } from "./methods/auth.ts";
export { Control } from "./methods/control.ts";
export type { BuildkitVersion, InfoResponse, InfoResponseInit } from "./methods/info-codec.ts";
export { FILE_SEND_DIFF_COPY, FILE_SYNC_DIFF_COPY, FILE_SYNC_TAR_STREAM } from "./methods/filesync.ts";
export { Git, GitErrorType } from "./methods/git.ts";
export { Health, ServingStatus } from "./methods/health.ts";
export { Pipe } from "./methods/pipe.ts";
export { Prompt } from "./methods/prompt.ts";
export { Secrets } from "./methods/secrets.ts";
export { Ssh } from "./methods/ssh.ts";
export { BasicStore } from "./methods/store.ts";
export { Terminal } from "./methods/terminal.ts";
export { TunnelListener } from "./methods/tunnel.ts";

// The session's own pieces.
export { requestUpgrade, type RequestUpgradeOptions } from "./upgrade/request-upgrade.ts";
export { UpgradeRefusedError } from "./upgrade/upgrade-refused-error.ts";
export { readServerSentEvents, type ServerSentEvent, type ServerSentEventsOptions } from "./server-sent-events.ts";
export {
  CLIENT_METADATA_HEADER,
  clientMetadataHeader,
  parseClientMetadata,
  type CacheConfig,
  type ClientMetadata,
  type ExtraModule,
} from "./client-metadata.ts";

// Telemetry.
export { loadCallCodec, type ApiCall, type ApiLiteral, type CallCodec } from "./telemetry/call-codec.ts";
export { loadOtlpCodec, TELEMETRY_SIGNALS, type OtlpCodec, type TelemetrySignal } from "./telemetry/otlp-codec.ts";
export { toBase64Ids } from "./telemetry/otlp-ids.ts";

// The engine's side.
export { serveEngineStream, type EngineStream, type EngineStreamHandlers } from "./engine/serve-engine-stream.ts";
export type { EngineHttpHandler, EngineHttpRequest } from "./engine/http-handler.ts";
export type { EngineUpgrade, EngineUpgradeHandler } from "./engine/upgrade.ts";
export type { HeaderList } from "./header-list.ts";

// Between a client and an engine.
export { startsWithHttp2 } from "./http2/preface.ts";
export { forwardRequest, type ForwardFailure, type ForwardRequestOptions, type PassingAnswer, type UpstreamClaim } from "./forward/forward-request.ts";
export { splice, type SpliceEnd, type SpliceOptions } from "./forward/splice.ts";

// Accepting clients.
export { formatListenUrl, MAX_SOCKET_PATH_BYTES, parseListenUrl, type ListenAddress } from "./listen/listen-address.ts";
export { answers, openListener, type Listener, type OpenListenerOptions, type ServerIdentity } from "./listen/open-listener.ts";

// Byte streams.
export { duplexPair } from "./duplex-pair.ts";
export { eagerDuplex, type EagerDuplexOptions } from "./eager-duplex.ts";
