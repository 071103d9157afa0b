import {
  DEFAULT_ENGINE_VERSION,
  describeClue,
  engineImageName,
  findEngineVersion,
  requireOneEngine,
  wantsGpu,
  type EngineVersionFinding,
  type ProjectConfig,
} from "@anyrunner/config";
import { NAME_A_RUNNER, parseRunnerUrl, RunnerError, throwIfAborted, type CallOptions, type ChooseRunnerInput, type Registry } from "@anyrunner/core";

import type { Surroundings } from "./surroundings.ts";

/** The engine that belongs to the project where nothing names a runner. */
export interface WantedEngine {
  /** `vX.Y.Z` */
  readonly version: string;
  /** For messages: the version and who says it. */
  readonly label: string;
  /** The image to start it from. */
  readonly image: string;
  readonly finding: EngineVersionFinding;
}

/** How long a container runtime may take to say what it has, in ms: one that hangs must not hang us. */
const LOOK_BUDGET_MS = 5000;

/** The schemes that start an engine from an image, the best first. */
const IMAGE_SCHEMES = ["image", "docker-image"] as const;

/** Which engine the project wants. Fails with VERSION_MISMATCH when no single engine can serve it. */
export async function wantedEngine({ cwd, env, report }: Surroundings, config: ProjectConfig | undefined): Promise<WantedEngine> {
  const finding = await findEngineVersion({ cwd, env, askCli: "last" });
  requireOneEngine(finding);
  for (const clue of finding.conflicts) {
    report({
      type: "warning",
      id: `engine-version-${clue.place}`,
      message: `the project names several versions: ${describeClue(clue)} is served by the newer engine ${finding.chosen?.version ?? ""}`,
    });
  }
  const version = finding.chosen?.version ?? DEFAULT_ENGINE_VERSION;
  return {
    version,
    label: finding.chosen === undefined ? `${version} (the project names none)` : describeClue(finding.chosen),
    image: engineImageName({ version, gpu: wantsGpu(env), template: config?.image }),
    finding,
  };
}

/**
 * Steps 6 and 7 of the choice: an engine of the wanted version that runs already, else one that is started from its image. What
 * can't be used is said with its reason in NO_RUNNER; an aborted search is ABORTED.
 */
export function lookForEngine(
  surroundings: Surroundings,
  { config, signal: cancelled }: Pick<CallOptions, "signal"> & { readonly config: ProjectConfig | undefined },
): Pick<ChooseRunnerInput, "findRunning" | "findDefault"> {
  const budget = AbortSignal.timeout(LOOK_BUDGET_MS);
  const signal = cancelled === undefined ? budget : AbortSignal.any([budget, cancelled]);
  const reasons: string[] = [];
  let wanted: Promise<WantedEngine> | undefined;
  const want = () => (wanted ??= wantedEngine(surroundings, config));
  return {
    async findRunning() {
      const { version } = await want();
      try {
        const { findRunningEngine } = await import("@anyrunner/driver-docker");
        const found = await findRunningEngine({ version, gpu: wantsGpu(surroundings.env), env: surroundings.env, signal, budgetMs: LOOK_BUDGET_MS });
        if (found !== undefined) return { value: found.url, from: { kind: "running", name: `Docker container ${found.container}` } };
        reasons.push(`no engine ${version} runs on Docker here`);
      } catch (error) {
        throwIfAborted(cancelled);
        reasons.push(reasonOf(error, budget));
      }
      return undefined;
    },
    async findDefault() {
      const { label, image } = await want();
      const registry = await openRegistry(surroundings, config);
      const scheme = await firstUsable(registry);
      if (scheme === undefined) throw noRunner([...reasons, "this release can't start engines from images"]);
      const url = `${scheme}://${image}`;
      try {
        await registry.resolve(parseRunnerUrl(url), { signal });
      } catch (error) {
        throwIfAborted(cancelled);
        throw noRunner([...reasons, reasonOf(error, budget)]);
      }
      return { value: url, from: { kind: "default", name: `engine ${label}` } };
    },
  };
}

/** The same failure, with every other way to a runner in its hint: what was chosen by default is nobody's wish. */
export function withRemedies(error: unknown): unknown {
  if (!RunnerError.is(error) || error.code === "ABORTED" || error.code === "INTERNAL") return error;
  return new RunnerError(error.code, error.message, {
    hint: `${error.hint === undefined ? "" : `${error.hint}\nor `}${NAME_A_RUNNER}`,
    cause: error,
    driver: error.driver,
    details: error.details,
  });
}

async function openRegistry({ cwd, env }: Surroundings, config: ProjectConfig | undefined): Promise<Registry> {
  const { createDefaultRegistry } = await import("@anyrunner/drivers");
  return createDefaultRegistry({ cwd, env, config });
}

async function firstUsable(registry: Registry): Promise<string | undefined> {
  const { isPlanned } = await import("@anyrunner/drivers");
  return IMAGE_SCHEMES.find((scheme) => registry.candidates(scheme).some((entry) => !isPlanned(entry)));
}

function noRunner(reasons: readonly string[]): RunnerError {
  return new RunnerError("NO_RUNNER", `no runner is configured, and there is none to fall back to: ${[...new Set(reasons)].join("; ")}`, {
    hint: NAME_A_RUNNER,
  });
}

function reasonOf(error: unknown, budget: AbortSignal): string {
  if (budget.aborted) return `the container runtime did not answer within ${LOOK_BUDGET_MS / 1000} s`;
  return error instanceof Error ? error.message : String(error);
}
