import type { JsonObject } from "@anyrunner/core";
import type { Check } from "@anyrunner/engine-container";

import type { SeenInImage } from "./seen-in-image.ts";

/** What the image has to have in common with the one that it was made of. */
export interface EngineExpectation {
  readonly name: string;
  readonly entrypoint: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** All that is known of an image. */
export interface ImageFacts {
  readonly platform: string;
  readonly entrypoint: readonly string[];
  /** Empty for root. */
  readonly user: string;
  readonly env: Readonly<Record<string, string>>;
  readonly gpu: boolean;
  readonly expected: EngineExpectation | undefined;
  /** Absent where no shell ran in it. */
  readonly seen: SeenInImage | undefined;
  readonly blind: string;
  readonly engineJson: string | undefined;
  /** Files that engine.json names and that aren't there. */
  readonly lost: readonly string[];
}

const ENTRYPOINT = "dagger-entrypoint.sh";

/** Whether an engine can run from an image, one check a thing. */
export function imageChecks(facts: ImageFacts): readonly Check[] {
  const { seen } = facts;
  return [
    platformCheck(facts),
    entrypointCheck(facts),
    userCheck(facts),
    environmentCheck(facts),
    configCheck(facts),
    ...(seen === undefined
      ? [failed("image.shell", `nothing in it could be looked at: ${facts.blind}`, "build it on an image with a shell, as engines have one")]
      : [engineCheck(seen), programsCheck(seen), dialCheck(seen), certificatesCheck(seen)]),
  ];
}

function platformCheck({ platform, gpu }: ImageFacts): Check {
  if (!/^linux\/(amd64|arm64)$/.test(platform))
    return failed("image.platform", `there is no engine for ${platform}`, "build it for linux/amd64 or linux/arm64");
  if (gpu && platform === "linux/arm64")
    return {
      id: "image.platform",
      status: "warning",
      detail: "linux/arm64: there is no official image with GPU drivers for it",
      remedy: "expect to be the first",
    };
  return ok("image.platform", platform);
}

/** It moves processes in the cgroups, without which the engine's containers don't start. */
function entrypointCheck({ entrypoint, expected }: ImageFacts): Check {
  const id = "image.entrypoint";
  const shown = entrypoint.join(" ");
  if (expected !== undefined && expected.entrypoint.join("\0") !== entrypoint.join("\0"))
    return failed(id, `"${shown}" is not that of ${expected.name}, "${expected.entrypoint.join(" ")}"`, "leave ENTRYPOINT out of the Containerfile");
  if (entrypoint.length === 0) return failed(id, "it has none", `set ENTRYPOINT ["${ENTRYPOINT}"]`);
  if (expected === undefined && entrypoint[0]?.split("/").at(-1) !== ENTRYPOINT)
    return {
      id,
      status: "warning",
      detail: `"${shown}" is not ${ENTRYPOINT}, that of official images`,
      remedy: "check that it prepares the cgroups and starts the engine",
    };
  return ok(id, shown);
}

function userCheck({ user }: ImageFacts): Check {
  if (/^(|0|root)(:.*)?$/.test(user)) return ok("image.user", "root");
  return failed("image.user", `it runs as ${user}; an engine has to be root`, "add USER 0 to the base image");
}

function environmentCheck({ env, gpu, expected }: ImageFacts): Check {
  const id = "image.environment";
  if (env["NVIDIA_VISIBLE_DEVICES"] !== undefined)
    return failed(id, "NVIDIA_VISIBLE_DEVICES is set, which hands out GPUs unasked where NVIDIA's runtime is the default", "leave it out of the image");
  if (gpu && !env["_EXPERIMENTAL_DAGGER_GPU_SUPPORT"])
    return failed(id, "_EXPERIMENTAL_DAGGER_GPU_SUPPORT is not set: the engine refuses GPUs", "set it in the image, or with gpus= when the engine is made");
  const lost = Object.entries(expected?.env ?? {}).filter(([name, value]) => /^(_EXPERIMENTAL_)?DAGGER_/.test(name) && env[name] !== value);
  if (lost.length > 0)
    return failed(id, `${lost.map(([name]) => name).join(", ")} differ from those of ${expected?.name}`, "carry the variables of the engine's image over");
  return ok(id, expected === undefined ? "nothing in it is harmful" : `the engine's variables are those of ${expected.name}`);
}

function configCheck({ engineJson, lost }: ImageFacts): Check {
  const id = "image.config";
  if (lost.length > 0) return failed(id, `engine.json names ${lost.join(", ")}, which is not there`, "correct the path, or add the certificate");
  if (engineJson === undefined || engineJson.trim() === "") return ok(id, "no engine.json");
  try {
    const { registries } = JSON.parse(engineJson) as { readonly registries?: JsonObject };
    const names = Object.keys(registries ?? {});
    return ok(id, `engine.json${names.length === 0 ? "" : ` with registries ${names.join(", ")}`}`);
  } catch {
    return failed(id, "engine.json is no JSON: the engine doesn't start", "correct the file");
  }
}

function engineCheck({ programs, versions }: SeenInImage): Check {
  const id = "image.engine";
  const path = programs["dagger-engine"];
  if (path === undefined) return failed(id, "there is no dagger-engine on its PATH", "build it from an engine's image");
  const version = versions["dagger-engine"] ?? "";
  if (!/\d+\.\d+|devel/.test(version)) return failed(id, `${path} doesn't run: ${version || "it says nothing"}`, "check platform and libraries of the image");
  return ok(id, `${path}: ${version}`);
}

function programsCheck({ programs }: SeenInImage): Check {
  const missing = ["runc", "iptables", "git"].filter((name) => programs[name] === undefined);
  if (missing.length === 0) return ok("image.programs", "what the engine calls is there: runc, iptables, git");
  return failed(
    "image.programs",
    `the engine calls ${missing.join(", ")}, which ${missing.length === 1 ? "is" : "are"} not there`,
    "install them in the base image",
  );
}

function dialCheck({ programs }: SeenInImage): Check {
  const path = programs["buildctl"];
  return path === undefined
    ? failed("image.dial", "there is no buildctl, which clients start to reach an engine in a container", "copy /usr/bin/buildctl of the engine's image")
    : ok("image.dial", path);
}

function certificatesCheck({ certificates }: SeenInImage): Check {
  const id = "image.certificates";
  const ignored = certificates.filter(({ file }) => !file.endsWith(".crt")).map(({ file }) => file);
  const broken = certificates.filter(({ file, count }) => file.endsWith(".crt") && count !== 1).map(({ file }) => file);
  const remedy = "give each authority a file of its own that ends in .crt";
  if (broken.length > 0) return failed(id, `not one certificate each: ${broken.join(", ")}`, remedy);
  if (ignored.length > 0) return { id, status: "warning", detail: `the engine passes over ${ignored.join(", ")}`, remedy };
  return ok(id, certificates.length === 0 ? "no authorities of one's own" : `${certificates.length} of one's own`);
}

function ok(id: string, detail: string): Check {
  return { id, status: "ok", detail };
}

function failed(id: string, detail: string, remedy: string): Check {
  return { id, status: "failed", detail, remedy };
}
