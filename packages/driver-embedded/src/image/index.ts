export { buildRunnerImage, type BuildRunnerImageOptions } from "./build-runner-image.ts";
