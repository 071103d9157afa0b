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
  /** What we write to. */
  readonly stream: { readonly isTTY?: boolean | undefined; readonly rows?: number | undefined; readonly columns?: number | undefined };
}

/** What `auto` means for a command that runs a whole pipeline: a tree where a person looks at a terminal, else plain text. */
export function pipelineProgress(mode: ProgressMode, place: DrawingPlace): ProgressMode {
  if (mode !== "auto") return mode;
  const isPersonThere = !place.env["CI"] || /^(0|false)$/i.test(place.env["CI"]);
  return isPersonThere && canDraw(place) ? "tty" : "plain";
}

/** Whether a tree can be drawn at all. A terminal without a size is one that nobody looks at, as of a container in CI. */
export function canDraw({ env, stream: { isTTY, rows = 0, columns = 0 } }: DrawingPlace): boolean {
  return isTTY === true && rows > 0 && columns > 0 && env["TERM"] !== "dumb";
}
