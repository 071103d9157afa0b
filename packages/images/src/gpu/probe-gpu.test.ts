import { expect, test } from "vitest";

import { daemonGpuCheck, type GpuDaemon, type GpuDaemonInfo } from "./daemon-gpu-check.ts";
import { probeGpu, type GpuReaders } from "./probe-gpu.ts";
import { gpuReaders } from "./this-machine.ts";

/** Written from documentation: no answer here was recorded on a machine with a GPU. */
const KERNEL = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.133.20  Release Build\nGCC version: 13\n";
const SMI = "0, GPU-1, NVIDIA L4, 570.133.20, 23034, Disabled\n1, GPU-2, NVIDIA H100, 570.133.20, 81559, Enabled\n";
const INFO: GpuDaemonInfo = { ServerVersion: "28.3.0", Runtimes: { runc: {}, nvidia: {} }, DefaultRuntime: "runc" };

interface FakeMachine {
  readonly files?: Readonly<Record<string, string>>;
  readonly folders?: Readonly<Record<string, readonly string[]>>;
  readonly programs?: Readonly<Record<string, { readonly exitCode: number; readonly output: string }>>;
  readonly daemon?: GpuDaemon;
}

const GPU_MACHINE: FakeMachine = {
  files: { "/proc/driver/nvidia/version": KERNEL },
  folders: { "/dev": ["null", "nvidia0", "nvidia1", "nvidiactl", "nvidia-uvm"], "/etc/cdi": ["nvidia.yaml"] },
  programs: { "nvidia-smi": { exitCode: 0, output: SMI }, "nvidia-ctk": { exitCode: 0, output: "NVIDIA Container Toolkit CLI version 1.19.1\ncommit: x\n" } },
  daemon: { isPodman: false, isLocal: true, info: INFO },
};

function readersOf({ files = {}, folders = {}, programs = {}, daemon }: FakeMachine): GpuReaders {
  return {
    readText: async (path) => files[path],
    list: async (folder) => folders[folder] ?? [],
    run: async (command) => programs[command],
    daemon: async () => daemon,
  };
}

const probe = async (machine: FakeMachine) =>
  Object.fromEntries((await probeGpu(readersOf(machine))).map(({ id, status, detail }) => [id, `${status}: ${detail}`]));

test("a machine with GPUs: each layer says what it has", async () => {
  expect(await probe(GPU_MACHINE)).toEqual({
    "gpu.kernel": "ok: driver 570.133.20",
    "gpu.devices": "ok: /dev/nvidia0, /dev/nvidia1",
    "gpu.driver": "ok: 0: NVIDIA L4, 23034 MiB; 1: NVIDIA H100, 81559 MiB, MIG",
    "gpu.toolkit": "ok: NVIDIA Container Toolkit CLI version 1.19.1",
    "gpu.cdi": "ok: nvidia.yaml",
    "gpu.daemon": "ok: Docker 28.3.0 has the runtime nvidia",
  });
});

test("a machine without: each layer fails by itself, with a remedy", async () => {
  const checks = await probeGpu(readersOf({}));
  expect(checks.map(({ id, status, remedy }) => [id, status, remedy !== undefined])).toEqual([
    ["gpu.kernel", "failed", true],
    ["gpu.devices", "failed", true],
    ["gpu.driver", "failed", true],
    ["gpu.toolkit", "failed", true],
    ["gpu.cdi", "skipped", false],
    ["gpu.daemon", "skipped", false],
  ]);
});

test.each<[string, FakeMachine, string, string]>([
  ["WSL", { folders: { "/dev": ["dxg"] }, programs: { "/usr/lib/wsl/lib/nvidia-smi": { exitCode: 0, output: SMI } } }, "gpu.driver", "ok: 0: NVIDIA L4"],
  [
    "a driver that was updated without a restart",
    { ...GPU_MACHINE, programs: { "nvidia-smi": { exitCode: 18, output: "Failed to initialize NVML: Driver/library version mismatch" } } },
    "gpu.driver",
    "failed: nvidia-smi ended with 18: Failed to initialize NVML",
  ],
  [
    "libraries of another version",
    { ...GPU_MACHINE, files: { "/proc/driver/nvidia/version": "NVRM version: 565.57.01" } },
    "gpu.driver",
    "warning: the libraries are of 570.133.20",
  ],
  ["a module that isn't loaded", { folders: { "/dev": ["nvidia0", "nvidiactl"] } }, "gpu.devices", "warning: /dev/nvidia-uvm not there"],
])("%s", async (_what, machine, id, words) => {
  expect((await probe(machine))[id]).toContain(words);
});

const BARE: GpuDaemonInfo = { ServerVersion: "28.3.0", Runtimes: { runc: {} }, DefaultRuntime: "runc" };
const CDI = [
  { Source: "cdi", ID: "nvidia.com/gpu=0" },
  { Source: "cdi", ID: "nvidia.com/gpu=all" },
  { Source: "cdi", ID: "amd.com/gpu=0" },
];

test.each<[string, GpuDaemonInfo, { readonly toolkit?: boolean; readonly podman?: boolean; readonly remote?: boolean }, string]>([
  ["nothing", BARE, {}, "failed: Docker 28.3.0 names neither"],
  ["folders of CDI with nothing in them", { ...BARE, CDISpecDirs: ["/etc/cdi"] }, {}, "failed: Docker 28.3.0 names neither"],
  ["the toolkit on PATH only", BARE, { toolkit: true }, "ok: Docker 28.3.0 names neither"],
  ["the toolkit here, the daemon elsewhere", BARE, { toolkit: true, remote: true }, "warning: Docker 28.3.0 names neither"],
  ["the runtime", INFO, {}, "ok: Docker 28.3.0 has the runtime nvidia"],
  ["the runtime by default", { ...INFO, DefaultRuntime: "nvidia" }, {}, "ok: Docker 28.3.0 has the runtime nvidia, by default"],
  ["devices by CDI", { ...BARE, ServerVersion: "29.2.0", DiscoveredDevices: CDI }, {}, "ok: Docker 29.2.0 has by CDI nvidia.com/gpu=0, nvidia.com/gpu=all"],
  ["devices of others", { ...BARE, DiscoveredDevices: CDI.slice(2) }, {}, "failed: Docker 28.3.0 names neither"],
  ["an old daemon that says null", { ServerVersion: "20.10.24", Runtimes: null, DiscoveredDevices: null }, {}, "failed: Docker 20.10.24 names neither"],
  ["Podman", { ...INFO, DiscoveredDevices: CDI }, { podman: true, toolkit: true }, "failed: Podman's API passes over"],
])("a daemon with %s", (_what, info, { toolkit = false, podman = false, remote = false }, words) => {
  const { status, detail } = daemonGpuCheck({ isPodman: podman, isLocal: !remote, info }, { hasToolkit: toolkit });
  expect(`${status}: ${detail}`).toContain(words);
});

test("this machine is looked at without an error, whatever it has", async () => {
  const checks = await probeGpu(gpuReaders({ env: process.env }));
  expect(checks.map(({ id }) => id)).toEqual(["gpu.kernel", "gpu.devices", "gpu.driver", "gpu.toolkit", "gpu.cdi", "gpu.daemon"]);
});

test("cancelled: ABORTED", async () => {
  await expect(probeGpu(readersOf(GPU_MACHINE), { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "ABORTED" });
});
