import type { Provenance, Sourced } from "./provenance.ts";
import { RunnerError } from "./runner-error.ts";

/** The names under which a runner URL is read from the environment, best first; the first one may change some day. */
export const RUNNER_HOST_VARIABLES = ["_EXPERIMENTAL_DAGGER_RUNNER_HOST", "DAGGER_RUNNER_HOST", "ANYRUNNER_RUNNER"] as const;

/** Every way to name a runner, one a line: the hint where none is named. */
export const NAME_A_RUNNER = [
  "name a runner:",
  "  --runner embedded://, which needs no engine, only Docker or Podman",
  "  --runner URL, or for good: anyrunner use URL",
  `  the variable ANYRUNNER_RUNNER (or ${RUNNER_HOST_VARIABLES[0]})`,
  '  "runner:" in anyrunner.config.yaml',
].join("\n");

/** What says which runner, as far as the caller has read it. */
export interface ChooseRunnerInput {
  /** What the caller asks for, which wins over all else. */
  readonly flag?: string | undefined;
  /** How the caller was asked for it. Default: by the flag `--runner`. */
  readonly flagFrom?: Provenance | undefined;
  /** Where `RUNNER_HOST_VARIABLES` and those of a surrounding session are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** `runner:` of the project's configuration and the file that says it. */
  readonly project?: { readonly url: string; readonly file: string } | undefined;
  /** The runner chosen with `use` and the file that remembers it. */
  readonly user?: { readonly url: string; readonly file: string } | undefined;
  /** Step 6: an engine of exactly the right version that runs on the local runtime already. */
  readonly findRunning?: (() => Promise<Sourced<string> | undefined>) | undefined;
  /** Step 7: a URL for a matched engine that would be started, or an error that says why there is none. */
  readonly findDefault?: (() => Promise<Sourced<string> | undefined>) | undefined;
}

/** The choice, and who made it. */
export type ChosenRunner =
  | { readonly kind: "url"; readonly url: string; readonly from: Provenance }
  /** We are inside a session already: join it, ask no engine. */
  | { readonly kind: "session"; readonly port: number; readonly token: string; readonly from: Provenance };

/**
 * Which runner, in this order: flag, surrounding session, environment, project, user, running engine, default.
 * Nothing that is configured ever falls back to something else. Empty values count as unset.
 * Fails with NO_RUNNER, naming every remedy, or INVALID_CONFIG for a session without a usable port or token.
 */
export async function chooseRunner(input: ChooseRunnerInput): Promise<ChosenRunner> {
  if (input.flag) return { kind: "url", url: input.flag, from: input.flagFrom ?? { kind: "flag", name: "--runner" } };

  const session = surroundingSession(input.env);
  if (session !== undefined) return session;

  for (const name of RUNNER_HOST_VARIABLES) {
    const url = input.env[name];
    if (url) return { kind: "url", url, from: { kind: "environment", name } };
  }
  if (input.project?.url) return { kind: "url", url: input.project.url, from: { kind: "project", name: input.project.file } };
  if (input.user?.url) return { kind: "url", url: input.user.url, from: { kind: "user", name: input.user.file } };

  const found = (await input.findRunning?.()) ?? (await input.findDefault?.());
  if (found !== undefined) return { kind: "url", url: found.value, from: found.from };
  // Who was not asked to look can't say that nothing is there.
  const looked = input.findRunning !== undefined || input.findDefault !== undefined;
  throw new RunnerError("NO_RUNNER", `no runner is configured${looked ? ", and no engine was found on this machine" : ""}`, { hint: NAME_A_RUNNER });
}

function surroundingSession(env: ChooseRunnerInput["env"]): ChosenRunner | undefined {
  const portText = env["DAGGER_SESSION_PORT"];
  if (!portText) return undefined;
  const port = /^\d{1,5}$/.test(portText) ? Number(portText) : 0;
  if (port < 1 || port > 65_535) {
    throw new RunnerError("INVALID_CONFIG", `DAGGER_SESSION_PORT is no port: "${portText}"`, { hint: "unset it, or run inside a session" });
  }
  const token = env["DAGGER_SESSION_TOKEN"];
  if (!token) {
    throw new RunnerError("INVALID_CONFIG", "DAGGER_SESSION_PORT is set, but DAGGER_SESSION_TOKEN is not", { hint: "set both, or neither" });
  }
  return { kind: "session", port, token, from: { kind: "session", name: "DAGGER_SESSION_PORT" } };
}
