import { RunnerError } from "@anyrunner/core";

/** How progress is shown on standard error. `auto` leaves it to the command: plain text for whole pipelines, nothing for a single query. */
export type ProgressMode = "auto" | "plain" | "json" | "none";

/** The words that the official client takes, for callers that pass them on; those that ask for a picture get plain text. */
const WORDS: Readonly<Record<string, ProgressMode>> = {
  auto: "auto",
  plain: "plain",
  json: "json",
  tty: "auto",
  dots: "plain",
  logs: "plain",
  report: "plain",
};

export interface ProgressModeOptions {
  readonly flag?: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly silent: boolean;
}

/** `--silent`, else `--progress`, else `DAGGER_PROGRESS`, else auto. Fails with USAGE or INVALID_CONFIG. */
export function progressMode({ flag, env, silent }: ProgressModeOptions): ProgressMode {
  const variable = env["DAGGER_PROGRESS"] || undefined;
  const word = flag ?? variable ?? "auto";
  const mode = Object.hasOwn(WORDS, word) ? WORDS[word] : undefined;
  if (mode === undefined) {
    const [code, name] = flag === undefined ? (["INVALID_CONFIG", "DAGGER_PROGRESS"] as const) : (["USAGE", "--progress"] as const);
    throw new RunnerError(code, `${name} doesn't know "${word}"`, { hint: "use auto, plain or json" });
  }
  return silent ? "none" : mode;
}

/** What `auto` means for a command that runs a whole pipeline, as with the official client: plain text. */
export function pipelineProgress(mode: ProgressMode): ProgressMode {
  return mode === "auto" ? "plain" : mode;
}
