export interface GpuFailure {
  readonly reason: string;
  /** Imperative. */
  readonly remedy: string;
}

interface KnownFailure extends GpuFailure {
  readonly words: RegExp;
}

/**
 * What the words of a container runtime, of NVIDIA's tools or of an engine mean that could not hand out a GPU; `undefined` where they say nothing
 * of GPUs. From the sources of these programs: never seen from a real GPU.
 */
export function explainGpuFailure(words: string): GpuFailure | undefined {
  const known = KNOWN.find((failure) => failure.words.test(words));
  return known && { reason: known.reason, remedy: known.remedy };
}

const KNOWN: readonly KnownFailure[] = [
  {
    // Docker before 29.3; from 29.3 on its AMD driver takes the request and complains; so it does where only a CDI specification is there.
    words: /could not select device driver|failed to discover GPU vendor|no known GPU vendor|AMD CDI spec not found/i,
    reason: "the daemon finds no NVIDIA container toolkit",
    remedy: "install the NVIDIA container toolkit on the daemon's machine, restart the daemon, or leave gpus= and _EXPERIMENTAL_DAGGER_GPU_SUPPORT away",
  },
  {
    words: /Driver\/library version mismatch/i,
    reason: "the NVIDIA libraries are not those of the kernel's driver",
    remedy: "restart the machine after an update of the driver; an image that brings libraries of its own needs those of the driver's version",
  },
  {
    words: /Failed to initialize NVML: Unknown Error/i,
    reason: "the container has lost its GPUs, as after a reload of systemd",
    remedy: "make the container anew; let Docker use the cgroup driver cgroupfs",
  },
  {
    words: /invoking the NVIDIA Container Runtime Hook directly/i,
    reason: "the toolkit in the engine's image is set to CDI, the engine calls its legacy hook",
    remedy: 'set mode = "legacy" in /etc/nvidia-container-runtime/config.toml of the image, and name GPUs by number or UUID',
  },
  {
    words: /nvidia-container-runtime-hook: no such file/i,
    reason: "the engine's image has no NVIDIA container toolkit",
    remedy: "use an image with it: the official one with -gpu, or one by `anyrunner image build --gpu`",
  },
  {
    words: /GPU support is not enabled/i,
    reason: "the engine was started without GPU support",
    remedy: "start it with gpus=, or with the variable _EXPERIMENTAL_DAGGER_GPU_SUPPORT",
  },
  {
    words: /unsupported capabilities found in/i,
    reason: "NVIDIA_DRIVER_CAPABILITIES names something that the toolkit doesn't allow",
    remedy: "correct NVIDIA_DRIVER_CAPABILITIES, or supported-driver-capabilities in the toolkit's config.toml",
  },
  {
    words: /nvidia/i,
    reason: "the NVIDIA driver or toolkit refused",
    remedy: "install the NVIDIA driver and container toolkit, or leave gpus= and _EXPERIMENTAL_DAGGER_GPU_SUPPORT away",
  },
];
