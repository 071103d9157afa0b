// For everyone who uses runners.
export { chooseRunner, NAME_A_RUNNER, RUNNER_HOST_VARIABLES, type ChooseRunnerInput, type ChosenRunner } from "./choose-runner.ts";
export { openRunner, type OpenRunnerOptions, type Runner } from "./open-runner.ts";
export { createRegistry, type DriverEntry, type Loser, type Registry, type ResolvedRunner } from "./registry.ts";
export { abortedError, RunnerError, runnerErrorFromJson, throwIfAborted, type RunnerErrorOptions } from "./runner-error.ts";
export { ERROR_CODES, isErrorCode, type ErrorCode, type ErrorCodeEntry } from "./error-codes.ts";
export { formatRunnerUrl, parseRunnerUrl, serializeRunnerUrl, type RunnerUrl, type RunnerUrlParam } from "./runner-url.ts";
export { formatProvenance, type Provenance, type Sourced } from "./provenance.ts";
export {
  baseEngineVersion,
  checkEngine,
  compareEngineVersions,
  ENGINE_PACKAGE,
  MINIMUM_ENGINE_VERSION,
  minimumClientVersion,
  normalizeEngineVersion,
  parseEngineVersion,
  type CheckEngineOptions,
  type EngineVersion,
} from "./engine-version.ts";

// For authors of drivers.
export type {
  CallOptions,
  CloseReason,
  ConnectionDiagnostics,
  DestroyOptions,
  DriverCapability,
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
} from "./driver.ts";
export { checkDriver } from "./check-driver.ts";
export { readOptions, type OptionSpec, type OptionValues } from "./option-spec.ts";
export { redact } from "./redact.ts";
export { suggest } from "./suggest.ts";
export type { JsonObject, JsonValue } from "./json.ts";
