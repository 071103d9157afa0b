import { RunnerError, withinBudget, type ConnectionDiagnostics, type RunnerConnection } from "@anyrunner/core";

const DIAGNOSTICS_BUDGET_MS = 5000;
/** Streams are closed a moment after they are destroyed. */
const END_BUDGET_MS = 200;

/** Exit codes by which shells and container runtimes say that the program could not be started. */
const NOT_STARTED = new Set([126, 127]);

export interface ConnectionLostInput {
  readonly runner: string;
  readonly connection: RunnerConnection;
  readonly error?: unknown;
  /** We ended it, because the engine gave no sign of life: what was waited for. */
  readonly silence?: RunnerError | undefined;
  /** Ends the sentence: `while …`. */
  readonly doing: string;
  /** The engine had not answered yet: it may still be starting, so trying again makes sense. */
  readonly starting?: boolean;
  /** Milliseconds since 1970. Default: now. */
  readonly now?: number;
}

/** Says why a stream to the engine ended, with what its driver knows about the far end (container state, exit code, last output). */
export async function connectionLost(input: ConnectionLostInput): Promise<RunnerError> {
  const known = await diagnose(input.connection);
  const facts = [
    input.silence?.message,
    known.summary,
    known.oomKilled ? "it ran out of memory" : undefined,
    exitFact(known, input.connection.kind),
    lastLine(known.lastOutput),
  ].filter((fact) => fact !== undefined);
  const told = facts.length > 0 ? facts.join("; ") : causeMessage(input.error);
  const details = {
    ...(known.exitCode === undefined ? {} : { exitCode: known.exitCode }),
    ...(known.oomKilled === undefined ? {} : { oomKilled: known.oomKilled }),
    ...(input.starting && known.startedAt !== undefined ? runningFor(known.startedAt, input.now ?? Date.now()) : {}),
  };
  if (input.starting && known.exitCode !== undefined && NOT_STARTED.has(known.exitCode)) {
    return new RunnerError("WRONG_SERVER", `${input.runner} has no engine to talk to: ${told}`, {
      cause: input.error,
      details,
      hint: "the container must run a Dagger engine, whose image has the program buildctl",
    });
  }
  if (input.starting && known.mismatch !== undefined) {
    const { message, hint } = known.mismatch;
    return new RunnerError("WRONG_SERVER", message, { cause: input.error, details, hint });
  }
  return new RunnerError("CONNECTION_LOST", `the connection to ${input.runner} ended ${input.doing}${told === "" ? "" : `: ${told}`}`, {
    cause: input.error,
    details,
    retryable: input.starting ?? false,
    hint: known.oomKilled ? "give the engine more memory" : (input.silence?.hint ?? (await hintOfEnd(input.connection)) ?? defaultHint(input)),
  });
}

/** What a driver that knows why its stream broke has to say about it. */
async function hintOfEnd({ closed, stream }: RunnerConnection): Promise<string | undefined> {
  if (!stream.destroyed) return undefined;
  const reason = await withinBudget(END_BUDGET_MS, closed);
  return RunnerError.is(reason?.error) ? reason.error.hint : undefined;
}

/** An engine runs in a container or a pod, and listens at everything else. */
function defaultHint({ starting, runner }: ConnectionLostInput): string {
  if (!starting) return "look at the engine's log";
  const isContainer = /container|image|pod/.test(runner.split("://", 1)[0] ?? "");
  return `${isContainer ? "does a Dagger engine run in it" : `is it a Dagger engine that listens at ${runner}`}? look at its log`;
}

async function diagnose(connection: RunnerConnection): Promise<ConnectionDiagnostics> {
  const asked = connection.diagnostics({ signal: AbortSignal.timeout(DIAGNOSTICS_BUDGET_MS) }).catch(() => ({}));
  return (await withinBudget<ConnectionDiagnostics>(DIAGNOSTICS_BUDGET_MS, asked)) ?? {};
}

/** For whoever decides how long to go on trying. */
function runningFor(startedAt: string, now: number): { readonly runningForMs?: number } {
  const runningForMs = now - Date.parse(startedAt);
  return Number.isNaN(runningForMs) ? {} : { runningForMs };
}

/** Whose exit code it is: what the summary doesn't tell of the far end is of the relay to it. */
function exitFact({ exitCode, summary = "" }: ConnectionDiagnostics, kind: RunnerConnection["kind"]): string | undefined {
  if (exitCode === undefined || exitCode === 0 || new RegExp(`exit code ${exitCode}\\b`).test(summary)) return undefined;
  return kind === "relay" ? `the relay to the engine in it ended with exit code ${exitCode}` : `exit code ${exitCode}`;
}

/** Programs that explain their usage after an error have said the error before. */
function lastLine(output: string | undefined): string | undefined {
  const [beforeUsage = ""] = output?.split(/^Usage:/m) ?? [];
  const line = (beforeUsage.trim() || (output ?? "").trim()).split("\n").at(-1)?.trim();
  return line === undefined || line === "" ? undefined : `last output: ${line.slice(0, 300)}`;
}

function causeMessage(error: unknown): string {
  return error instanceof Error ? error.message : "";
}
