// Images of engines: say what they shall have, build, look, push.
export type { ImageFile, ImagePackage, ImageRecipe, ImageStrategy, NamedText, SourceImage } from "./recipe.ts";
export { checkRecipe, isEngineVersion, type CheckedRecipe } from "./check-recipe.ts";
export { needsSource, planImage, type ImagePlan } from "./plan-image.ts";
export { buildImage, planFromDaemon, type BuildImageOptions, type BuiltImage, type PlannedImage } from "./build-image.ts";
export { verifyImage, type VerifiedImage, type VerifyImageOptions } from "./verify-image.ts";
export { pushImage, type PushedImage, type PushImageOptions } from "./push-image.ts";
export { parseEngineJson } from "./parse-engine-json.ts";

// GPUs of a machine.
export { probeGpu, type GpuReaders } from "./gpu/probe-gpu.ts";
export type { GpuDaemon, GpuDaemonInfo } from "./gpu/daemon-gpu-check.ts";
export { gpuReaders } from "./gpu/this-machine.ts";
