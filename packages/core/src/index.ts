// For everyone who uses runners.
export { chooseRunner, NAME_A_RUNNER, RUNNER_HOST_VARIABLES, type ChooseRunnerInput, type ChosenRunner } from "./choose-runner.ts";
export { createRunner, openRunner, type OpenRunnerOptions, type Runner } from "./open-runner.ts";
export { createRegistry, type DriverEntry, type Loser, type Registry, type ResolvedRunner } from "./registry.ts";
export { formatProvenance, type Provenance, type Sourced } from "./provenance.ts";
export { secretTextsOf } from "./url-secrets.ts";
export { shortId } from "./short-id.ts";
export { driverWithSecrets } from "./driver-with-secrets.ts";
export { inTime, type InTimeOptions } from "./waits.ts";
export { checkEngine, MINIMUM_ENGINE_VERSION, minimumClientVersion, type CheckEngineOptions } from "./engine-version.ts";

// For authors of drivers, who need no more: `@anyrunner/core/driver`.
export * from "./author.ts";
