import { throwIfAborted, type CallOptions } from "@anyrunner/core";
import type { Check } from "@anyrunner/engine-container";

import { daemonGpuCheck, type GpuDaemon } from "./daemon-gpu-check.ts";

/** How the machine is looked at. None of them throws for what isn't there. */
export interface GpuReaders {
  /** The file's text, at most its first 64 KiB. */
  readonly readText: (path: string) => Promise<string | undefined>;
  /** Names in a folder; none where there is none. */
  readonly list: (folder: string) => Promise<readonly string[]>;
  /** What a program said, whatever its exit code; `undefined` where there is none of that name. */
  readonly run: (command: string, args: readonly string[], options: CallOptions) => Promise<{ readonly exitCode: number; readonly output: string } | undefined>;
  /** What the daemon that shall make the engine says of itself; `undefined` where none answers. */
  readonly daemon: (options: CallOptions) => Promise<GpuDaemon | undefined>;
}

const KERNEL_FILE = "/proc/driver/nvidia/version";
const WSL_TOOL = "/usr/lib/wsl/lib/nvidia-smi";
const QUERY = ["--query-gpu=index,uuid,name,driver_version,memory.total,mig.mode.current", "--format=csv,noheader,nounits"];
const CDI_FOLDERS = ["/etc/cdi", "/var/run/cdi"];
const DRIVER_REMEDY = "install NVIDIA's driver, and restart the machine";

/**
 * Whether this machine can give GPUs to an engine, layer by layer, from the cheap to the dear: kernel, devices, driver's tools, container toolkit, CDI,
 * daemon. Each layer is reported, whatever the others say. Starts no container. Written from documentation: never run against a real GPU. Fails
 * with ABORTED.
 */
export async function probeGpu(readers: GpuReaders, options: CallOptions = {}): Promise<readonly Check[]> {
  const { readText, list, run } = readers;
  throwIfAborted(options.signal);
  const [kernel, devices, cdi, hook] = await Promise.all([
    readText(KERNEL_FILE),
    list("/dev"),
    Promise.all(CDI_FOLDERS.map(list)),
    run("nvidia-container-runtime-hook", ["--version"], options),
  ]);
  const kernelVersion = /\b\d{3}\.\d+(\.\d+)?\b/.exec(kernel ?? "")?.[0];
  const isWsl = devices.includes("dxg");
  const smi = (await run("nvidia-smi", QUERY, options)) ?? (isWsl ? await run(WSL_TOOL, QUERY, options) : undefined);
  const toolkit = await run("nvidia-ctk", ["--version"], options);
  const daemon = await readers.daemon(options);
  throwIfAborted(options.signal);
  return [
    kernelCheck(kernel, kernelVersion, isWsl),
    devicesCheck(devices, isWsl),
    toolCheck(smi, kernelVersion),
    toolkitCheck(toolkit?.output),
    cdiCheck(cdi.flat()),
    daemonGpuCheck(daemon, { hasToolkit: toolkit !== undefined || hook !== undefined }),
  ];
}

function kernelCheck(text: string | undefined, version: string | undefined, isWsl: boolean): Check {
  const id = "gpu.kernel";
  if (version !== undefined) return { id, status: "ok", detail: `driver ${version}` };
  if (isWsl) return { id, status: "ok", detail: "the driver is that of Windows, below WSL" };
  if (text !== undefined) return { id, status: "warning", detail: `${KERNEL_FILE} says no version: ${text.split("\n", 1)[0] ?? ""}` };
  return { id, status: "failed", detail: "the kernel has no NVIDIA driver", remedy: DRIVER_REMEDY };
}

function devicesCheck(names: readonly string[], isWsl: boolean): Check {
  const id = "gpu.devices";
  if (isWsl) return { id, status: "ok", detail: "/dev/dxg" };
  const gpus = names.filter((name) => /^nvidia\d+$/.test(name));
  const missing = ["nvidiactl", "nvidia-uvm"].filter((name) => !names.includes(name));
  if (gpus.length === 0) return { id, status: "failed", detail: "there is no /dev/nvidia0", remedy: DRIVER_REMEDY };
  if (missing.length > 0)
    return {
      id,
      status: "warning",
      detail: `${missing.map((name) => `/dev/${name}`).join(" and ")} not there`,
      remedy: "load the modules: nvidia-modprobe -u -c=0",
    };
  return { id, status: "ok", detail: gpus.map((name) => `/dev/${name}`).join(", ") };
}

function toolCheck(answer: { readonly exitCode: number; readonly output: string } | undefined, kernelVersion: string | undefined): Check {
  const id = "gpu.driver";
  if (answer === undefined) return { id, status: "failed", detail: "there is no nvidia-smi", remedy: DRIVER_REMEDY };
  const { exitCode, output } = answer;
  if (exitCode !== 0) {
    const remedy = /version mismatch/i.test(output) ? "restart the machine: its driver was updated" : "see what nvidia-smi says by hand";
    return { id, status: "failed", detail: `nvidia-smi ended with ${exitCode}: ${output.trim().slice(0, 500)}`, remedy };
  }
  const rows = output
    .trim()
    .split("\n")
    .map((row) => row.split(",").map((cell) => cell.trim()));
  const other = rows.find((row) => kernelVersion !== undefined && row[3] !== kernelVersion);
  if (other !== undefined)
    return { id, status: "warning", detail: `the libraries are of ${other[3]}, the kernel's driver of ${kernelVersion}`, remedy: "restart the machine" };
  return {
    id,
    status: "ok",
    detail: rows.map(([index, , name, , memory, mig]) => `${index}: ${name}, ${memory} MiB${mig === "Enabled" ? ", MIG" : ""}`).join("; "),
  };
}

function toolkitCheck(output: string | undefined): Check {
  const id = "gpu.toolkit";
  if (output !== undefined) return { id, status: "ok", detail: output.trim().split("\n", 1)[0] ?? "" };
  return {
    id,
    status: "failed",
    detail: "there is no NVIDIA container toolkit on this machine",
    remedy: "install the package nvidia-container-toolkit, and restart the daemon",
  };
}

function cdiCheck(files: readonly string[]): Check {
  const id = "gpu.cdi";
  const specifications = files.filter((name) => /\.(ya?ml|json)$/.test(name));
  if (specifications.length > 0) return { id, status: "ok", detail: specifications.join(", ") };
  return { id, status: "skipped", detail: "no CDI specification; Docker needs none, Podman does (nvidia-ctk cdi generate)" };
}
