export { connect, type ConnectOptions, type Session } from "./connect.ts";
export type { SessionEnvironment } from "./session-environment.ts";

// What `connect` takes, gives and fails with, so that a program needs no other package to name it.
export { RunnerError, type ErrorCode, type Provenance, type Registry, type Reporter, type RunnerEvent } from "@anyrunner/core";
export type { AttachableSettings, GraphqlError, GraphqlRequest, GraphqlResponse, SessionEnd, TelemetryEvent, TelemetryListener } from "@anyrunner/engine";

// The steps of `connect`, for programs that do something between them.
export { chooseClientRunner, type ChooseClientRunnerOptions, type ClientRunner } from "./choose-client-runner.ts";
export { wantedEngine, type WantedEngine } from "./default-engine.ts";
export { openClientRunner, type OpenClientRunnerOptions } from "./open-client-runner.ts";
export { openClientSession, type OpenClientSessionOptions } from "./open-client-session.ts";
export { pinVersion } from "./pin-version.ts";
export { sessionEnvironment } from "./session-environment.ts";
export { querySurroundingSession } from "./surrounding-session.ts";
export type { Surroundings } from "./surroundings.ts";
export { urlOfName } from "./url-of-name.ts";
