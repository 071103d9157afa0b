import { RunnerError } from "@anyrunner/core";

/**
 * How progress is shown on standard error. `auto` leaves it to the command: what fits the terminal for whole pipelines, nothing for a
 * single query. `tty` is plain where there is no terminal to draw on. `quiet` leaves errors alone.
 */
export type ProgressMode = "auto" | "plain" | "tty" | "json" | "quiet";

/** Besides our own words those of the official client and of buildx, for callers that pass them on. */
const WORDS: Readonly<Record<string, ProgressMode>> = {
  auto: "auto",
  plain: "plain",
  tty: "tty",
  json: "json",
  quiet: "quiet",
  none: "quiet",
  dots: "plain",
  logs: "plain",
  report: "plain",
};

type Variables = Readonly<Record<string, string | undefined>>;

export interface ProgressModeOptions {
  readonly flag?: string | undefined;
  readonly env: Variables;
  readonly silent: boolean;
}

/** `--silent`, else `--progress`, else `DAGGER_PROGRESS`, else auto. Fails with USAGE or INVALID_CONFIG. */
export function progressMode({ flag, env, silent }: ProgressModeOptions): ProgressMode {
  const variable = env["DAGGER_PROGRESS"] || undefined;
  const word = flag ?? variable ?? "auto";
  const mode = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (mode === undefined) {
    const [code, name] = flag === undefined ? (["INVALID_CONFIG", "DAGGER_PROGRESS"] as const) : (["USAGE", "--progress"] as const);
    throw new RunnerError(code, `${name} doesn't know "${word}"`, { hint: "use auto, plain, tty, json or quiet" });
  }
  return silent ? "quiet" : mode;
}

/** What `auto` means for a session that others use, as with the official client: plain text. */
export function sessionProgress(mode: ProgressMode): ProgressMode {
  return mode === "auto" ? "plain" : mode;
}

export interface DrawingPlace {
  readonly env: Variables;
  /** Whether what we write to is a terminal. */
  readonly isTerminal: boolean;
}

/** What `auto` means for a command that runs a whole pipeline: a tree where a person looks at a terminal, else plain text. */
export function pipelineProgress(mode: ProgressMode, { env, isTerminal }: DrawingPlace): ProgressMode {
  const isPersonThere = !env["CI"] || /^(0|false)$/i.test(env["CI"]);
  if (mode === "auto") return isPersonThere && canDraw({ env, isTerminal }) ? "tty" : "plain";
  return mode;
}

/** Whether a tree can be drawn at all. */
export function canDraw({ env, isTerminal }: DrawingPlace): boolean {
  return isTerminal && env["TERM"] !== "dumb";
}
