// For drivers that make engines.
export { ENGINE_IMAGE_OPTIONS, type EngineImageValues } from "./engine-image-options.ts";
export {
  asksForSpecialEngine,
  parseEngineImage,
  withoutSecrets,
  withSecrets,
  type EngineImage,
  type EnginePort,
  type ShownEngineImage,
} from "./engine-image.ts";
export type { EngineGpus, EngineMount } from "./option-values.ts";
export { ENGINE_CONFIG_FILE, planEngineContainer, STATE_FOLDER, type EngineFacts } from "./plan-engine-container.ts";
export type { EngineContainerPlan } from "./engine-container-plan.ts";
export { driftWarning, matchesPlan, type ExistingContainer, type PlanMatch } from "./match-plan.ts";
export {
  adoptableName,
  cleansUp,
  enginesBeyond,
  engineTagOf,
  isOfRepository,
  mayAdopt,
  mayRemove,
  surplusEngines,
  type EngineTag,
  type ListedContainer,
  type Removal,
  type SurplusOptions,
} from "./engine-ownership.ts";
export {
  CACHE_ROLE,
  ENGINE_LABELS,
  ENGINE_ROLE,
  idleMsOf,
  isOwnedCache,
  isOwnedEngine,
  keepOf,
  LABEL_PREFIX,
  ownLabels,
  type Labels,
} from "./engine-labels.ts";
export { countSessions, enginePort, LIVE_SESSIONS_SCRIPT } from "./live-sessions.ts";
export { cacheFateOfEnd, cacheLossAtStart } from "./cache-fate.ts";
export { readEngineFiles, readRemoteEngineFiles, type EngineFiles } from "./read-engine-files.ts";
export { engineConfigPaths, type EngineConfigPaths } from "./engine-config-paths.ts";

// Names.
export { engineContainerName, officialContainerName, OFFICIAL_NAME_PREFIX } from "./engine-names.ts";
export { engineReference } from "./plan-reference.ts";
export { formatImageReference, isSameImage, parseImageReference, type ImageReference } from "./image-reference.ts";

// The life of an engine.
export { drainEngine, engineDraining, type DrainClock, type DrainedEngine, type DrainOptions } from "./drain.ts";

// What an engine needs.
export type { Check } from "./requirements/check.ts";
export { daemonChecks, type DaemonInfo, type DescribedRuntime } from "./requirements/daemon-checks.ts";
export { hostChecks, type HostCheckOptions } from "./requirements/host-checks.ts";
export { explainGpuFailure, type GpuFailure } from "./requirements/gpu-failure.ts";
export { requireChecks } from "./requirements/require-checks.ts";
export { thisHost, type FileSystemFacts, type HostView } from "./requirements/host-view.ts";
export { readyOrDead, type ReadyOrDeadOptions, type WatchedContainer } from "./ready-or-dead.ts";
export { engineStartError, type EngineStartErrorOptions } from "./engine-start-error.ts";
export { formatBytes } from "./format-bytes.ts";
export { shareDisk } from "./shared-disk.ts";
