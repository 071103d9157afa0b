import type { Check } from "@anyrunner/engine-container";

import type { ImageFacts } from "./image-checks.ts";
import { LDCONFIG_PATHS, RUNTIME_HOOK, TOOLKIT_CONFIG } from "./seen-in-image.ts";

export interface GpuImageFacts extends ImageFacts {
  readonly toolkitConfig: string | undefined;
}

const BUILD_WITH_GPU = "build it with --gpu, from the official image with -gpu or with one of the other strategies";

/**
 * Whether the engine of an image can hand GPUs on: it calls NVIDIA's legacy hook by a fixed path, which calls nvidia-container-cli, which calls
 * ldconfig. Written from their sources: never run against a real GPU.
 */
export function gpuChecks({ seen, toolkitConfig }: GpuImageFacts): readonly Check[] {
  if (seen === undefined) return [{ id: "gpu.hook", status: "skipped", detail: "nothing in the image could be looked at" }];
  const { programs, versions, paths } = seen;
  const cli = programs["nvidia-container-cli"];
  const version = versions["nvidia-container-cli"] ?? "";
  const ldconfig = LDCONFIG_PATHS.find((path) => paths.includes(path));
  return [
    paths.includes(RUNTIME_HOOK)
      ? { id: "gpu.hook", status: "ok", detail: RUNTIME_HOOK }
      : { id: "gpu.hook", status: "failed", detail: `${RUNTIME_HOOK} is not there, which the engine calls by this path`, remedy: BUILD_WITH_GPU },
    cliCheck(cli, version),
    ldconfig === undefined
      ? { id: "gpu.ldconfig", status: "failed", detail: `neither ${LDCONFIG_PATHS.join(" nor ")} is there, which the hook calls`, remedy: "add one of them" }
      : { id: "gpu.ldconfig", status: "ok", detail: ldconfig },
    modeCheck(toolkitConfig),
    driverCheck(paths),
  ];
}

function cliCheck(path: string | undefined, version: string): Check {
  const id = "gpu.container-cli";
  if (path === undefined) return { id, status: "failed", detail: "there is no nvidia-container-cli, which the hook calls", remedy: BUILD_WITH_GPU };
  if (!/\d+\.\d+/.test(version))
    return { id, status: "failed", detail: `${path} doesn't run: ${version || "it says nothing"}`, remedy: "add the libraries that it misses" };
  return { id, status: "ok", detail: `${path}: ${version}` };
}

/** The hook refuses to be called in the modes of CDI. */
function modeCheck(config: string | undefined): Check {
  const id = "gpu.mode";
  const mode = /^\s*mode\s*=\s*"([^"]*)"/m.exec(config ?? "")?.[1] ?? "auto";
  if (mode === "auto" || mode === "legacy") return { id, status: "ok", detail: config === undefined ? `no ${TOOLKIT_CONFIG}: auto` : mode };
  return { id, status: "failed", detail: `${TOOLKIT_CONFIG} says ${mode}, in which the hook refuses to run`, remedy: 'set mode = "legacy" there' };
}

/** Libraries of the driver come from the machine; others than its own don't work with its kernel. */
function driverCheck(paths: readonly string[]): Check {
  const id = "gpu.driver";
  const own = paths.filter((path) => /lib(cuda|nvidia-ml)\.so/.test(path));
  if (own.length === 0) return { id, status: "ok", detail: "the driver's libraries come from the machine" };
  return {
    id,
    status: "warning",
    detail: `it brings libraries of the driver along (${own[0]}), which have to be of the version of the machine's kernel driver`,
    remedy: "where nvidia-smi says that they differ, take --strategy packages or rebase, which bring none",
  };
}
