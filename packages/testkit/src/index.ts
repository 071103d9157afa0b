// The conformance suite for drivers, for any runner of tests; for vitest it is testDriver of @anyrunner/testkit/vitest.
export { driverCases, type ConformanceCase, type DriverCases } from "./conformance/driver-cases.ts";
export type { ConformanceTarget, DriverSuite } from "./conformance/driver-suite.ts";
export type { CaseOutcome, ConformanceReport, ReportedCase } from "./conformance/conformance-report.ts";
export { CONFORMANCE_PEER_SCRIPT, serveConformancePeer } from "./conformance/conformance-peer.ts";
export { startConformanceServer, type ConformanceServer } from "./conformance/conformance-server.ts";

// Nothing left behind.
export { describeLeaks, expectNothingLeft, takeInventory, type Inventory } from "./leak-check.ts";

// Images for tests, made without a registry.
export { makeBusyboxRootfs, type BusyboxRootfsOptions } from "./images/busybox-rootfs.ts";
export {
  CONFORMANCE_IMAGE_LOG,
  ensureBusyboxImage,
  ensureConformanceEngineImage,
  ensureConformanceImage,
  type ImageStore,
  type TestImageOptions,
} from "./images/test-image.ts";

export { tarFolder } from "./images/tar-archive.ts";
export { startTestRegistry, type TestRegistry, type TestRegistryOptions } from "./images/test-registry.ts";

// A real sshd.
export { freePort } from "./free-port.ts";
export { SSH_TESTS_SKIPPED, sshVersion, startSshServer, type SshServer, type SshServerOptions } from "./ssh-server.ts";

// An engine that isn't one, with faults.
export { createEngineDouble, type DoubleArrival, type EngineDouble, type EngineDoubleInfo, type EngineDoubleOptions } from "./double/engine-double.ts";
export type { EngineFault, FaultAction, FaultPoint } from "./double/engine-fault.ts";
export type { AnswerQuery, DoubleAnswer, DoubleError, DoubleQuery } from "./double/query-answer.ts";
export type { AttachedClient, ReadTreeOptions, TreeFile } from "./double/attached-client.ts";
export type { DoubleClient } from "./double/double-session.ts";
export type { DoubleTelemetryEvent, TelemetryKind } from "./double/telemetry-feed.ts";
export { createDoubleDriver, doubleRunner } from "./double/double-runner.ts";

// Recorded sessions of the official client with a real engine.
export { RECORDED_SCENARIOS, readRecordedResult, readRecording, type RecordedScenario, type Recording } from "./replay/recording.ts";
export { readConversation, type Exchange, type ExchangeSide, type RecordedConversation } from "./replay/exchange.ts";
export { playRecordedClient } from "./replay/recorded-client.ts";
export { makeRecordedHost } from "./replay/recorded-host.ts";
export { replayEngine, type ReplayedCall, type ReplayOptions } from "./replay/replay-engine.ts";
export { readCall, type CallAnswer, type CallMode, type RecordedCall } from "./replay/recorded-call.ts";
export { privilegedContainersRefused, type PrivilegedContainersOptions } from "./images/privileged-containers.ts";
