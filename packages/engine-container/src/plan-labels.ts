import { createHash } from "node:crypto";

import { ENGINE_LABELS, ENGINE_ROLE, type Labels } from "./engine-labels.ts";
import type { EngineGpus } from "./option-values.ts";
import type { EngineContainerPlan } from "./engine-container-plan.ts";

export interface PlanLabelsOptions {
  /** The user's own labels. */
  readonly user: Labels;
  /** `env` of the URL: only the names are kept. */
  readonly env: readonly string[];
  readonly configDigest: string | undefined;
  readonly idleMs: number | undefined;
  readonly keep: number | undefined;
}

/** The labels of a planned container: the user's, whose it is, and what shaped it. Holds no value of a variable. */
export function planLabels(plan: Omit<EngineContainerPlan, "labels">, options: PlanLabelsOptions): Labels {
  const shape = JSON.stringify(shapeOf(plan, options));
  return {
    ...options.user,
    [ENGINE_LABELS.role]: ENGINE_ROLE,
    [ENGINE_LABELS.image]: plan.image,
    [ENGINE_LABELS.volume]: plan.volume,
    [ENGINE_LABELS.options]: shape,
    ...(options.idleMs !== undefined && { [ENGINE_LABELS.idle]: String(options.idleMs) }),
    ...(options.keep !== undefined && { [ENGINE_LABELS.keep]: String(options.keep) }),
    [ENGINE_LABELS.config]: createHash("sha256").update(`${plan.image}\n${shape}`).digest("hex").slice(0, 32),
  };
}

/** By the names of the parameters, in a fixed order; what wasn't asked for is absent. */
function shapeOf(plan: Omit<EngineContainerPlan, "labels">, { env, configDigest, idleMs, keep }: PlanLabelsOptions): Readonly<Record<string, string>> {
  const names = env.map((text) => text.split("=", 1)[0] ?? "").toSorted();
  return withoutEmpty({
    volume: plan.volume,
    port: plan.ports.map(({ address, port }) => `${address}:${port}`).join(","),
    cpus: plan.cpus === undefined ? "" : String(plan.cpus),
    memory: plan.memoryBytes === undefined ? "" : String(plan.memoryBytes),
    env: names.join(","),
    proxy: ["HTTP_PROXY", "HTTPS_PROXY"].some((name) => name in plan.env && !names.includes(name)) ? "set" : "",
    network: plan.network ?? "",
    mount: plan.mounts
      .slice(1)
      .map(({ source, target, readOnly }) => `${source}:${target}${readOnly ? ":ro" : ""}`)
      .join(","),
    gpus: plan.gpus === undefined ? "" : formatGpus(plan.gpus),
    platform: plan.platform ?? "",
    config: configDigest ?? "",
    idle: idleMs === undefined ? "" : `${idleMs / 1000} s`,
    keep: keep === undefined ? "" : String(keep),
  });
}

function formatGpus(gpus: EngineGpus): string {
  switch (gpus.kind) {
    case "all":
      return "all";
    case "count":
      return String(gpus.count);
    case "devices":
      return gpus.devices.join(",");
  }
}

function withoutEmpty(values: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ""));
}
