/**
 * All that a driver is written with: `@anyrunner/core/driver`. What programs need that use drivers (the registry, opening a runner,
 * choosing one) is not here; it is in `@anyrunner/core`, which gives these names, too, for whoever does both.
 *
 * The contract is `RunnerDriver`. Every failure is a `RunnerError` with a code of `ERROR_CODES`; durations end in `Ms`, sizes in `Bytes`.
 *
 * @module
 */

// The interface.
export type {
  CallOptions,
  CloseReason,
  ConnectionDiagnostics,
  DestroyOptions,
  DriverCapability,
  ListOptions,
  LogsOptions,
  ProbeResult,
  ProvisionOptions,
  Reporter,
  RunnerConnection,
  RunnerDriver,
  RunnerEvent,
  RunnerHandle,
  RunnerState,
  RunnerTarget,
  StopOptions,
  UrlSecrets,
} from "./driver.ts";
export { STOP_GRACE_MS } from "./driver.ts";
export { checkDriver } from "./check-driver.ts";
export type { JsonObject, JsonValue } from "./json.ts";

// Errors.
export { abortedError, RunnerError, runnerErrorFromJson, throwIfAborted, type RunnerErrorOptions } from "./runner-error.ts";
export { handleOfError } from "./handle-of-error.ts";
export { unavailable } from "./unavailable.ts";
export { ERROR_CODES, isErrorCode, type ErrorCode, type ErrorCodeEntry } from "./error-codes.ts";

// URLs and their parameters.
export { formatRunnerUrl, parseRunnerUrl, serializeRunnerUrl, type RunnerUrl, type RunnerUrlParam } from "./runner-url.ts";
export { readOptions, type OptionSpec, type OptionValues } from "./option-spec.ts";
export { suggest } from "./suggest.ts";

// Engines, for drivers that make some, or are one.
export { baseEngineVersion, compareEngineVersions, ENGINE_PACKAGE, normalizeEngineVersion, parseEngineVersion, type EngineVersion } from "./engine-version.ts";

// Streams and the network.
export { watchClose } from "./watch-close.ts";
export { networkFailure, type NetworkFailure } from "./network-failure.ts";
export { isLoopback } from "./loopback.ts";

// Waits that end.
export { orAborted, pause, signalWithin, withinBudget } from "./waits.ts";

// Secrets.
export { redact, redactValue } from "./redact.ts";
export { secretTexts, urlSecrets } from "./url-secrets.ts";
