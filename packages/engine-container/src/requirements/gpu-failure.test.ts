import { expect, test } from "vitest";

import { explainGpuFailure } from "./gpu-failure.ts";

test.each([
  'could not select device driver "" with capabilities: [[gpu]]',
  "failed to discover GPU vendor from CDI: no known GPU vendor found",
  "AMD CDI spec not found",
])("%s: the toolkit is missing", (words) => {
  expect(explainGpuFailure(words)?.reason).toBe("the daemon finds no NVIDIA container toolkit");
  // Both ways by which GPUs are asked for.
  expect(explainGpuFailure(words)?.remedy).toMatch(/leave gpus= and _EXPERIMENTAL_DAGGER_GPU_SUPPORT away$/);
});

test.each([
  ["Failed to initialize NVML: Driver/library version mismatch", "restart the machine"],
  ["Failed to initialize NVML: Unknown Error", "cgroupfs"],
  ["invoking the NVIDIA Container Runtime Hook directly (e.g. specifying the docker --gpus flag) is not supported", "legacy"],
  ["fork/exec /usr/bin/nvidia-container-runtime-hook: no such file or directory", "-gpu"],
  ["GPU support is not enabled, set _EXPERIMENTAL_DAGGER_GPU_SUPPORT", "_EXPERIMENTAL_DAGGER_GPU_SUPPORT"],
  ["unsupported capabilities found in 'all,foo'", "NVIDIA_DRIVER_CAPABILITIES"],
  ["nvidia-container-cli: initialization error", "container toolkit"],
])("%s", (words, remedy) => {
  expect(explainGpuFailure(words)?.remedy).toContain(remedy);
});

test("other words say nothing", () => {
  expect(explainGpuFailure("port is already allocated")).toBeUndefined();
});
