import { RunnerError, throwIfAborted } from "@anyrunner/core";
import type { Check } from "@anyrunner/engine-container";

/** Takes a check when it is done. */
export type Recorder = (check: Check) => void;

/**
 * Does one piece of work as a check: its answer is what was seen, its failure is the failure of the check. Gives what the work gave, or
 * `undefined` after a failure. Fails with ABORTED only.
 */
export async function checked<T>(
  { id, record, signal }: { readonly id: string; readonly record: Recorder; readonly signal: AbortSignal },
  work: () => Promise<{ readonly value: T } & Omit<Check, "id" | "ms" | "status"> & { readonly status?: Check["status"]; readonly timed?: boolean }>,
): Promise<T | undefined> {
  const started = performance.now();
  const took = () => Math.round(performance.now() - started);
  try {
    const { value, status = "ok", detail, remedy, timed } = await work();
    record({ id, status, detail, ...(remedy !== undefined && { remedy }), ...(timed === true && { ms: took() }) });
    return value;
  } catch (error) {
    throwIfAborted(signal);
    record({ id, ...failureOf(error), ms: took() });
    return undefined;
  }
}

/** What a failure says, as parts of a check. */
export function failureOf(error: unknown): Pick<Check, "status" | "detail" | "remedy"> {
  if (!RunnerError.is(error))
    return { status: "failed", detail: error instanceof Error ? error.message : String(error), remedy: "report this: it is a defect" };
  return { status: "failed", detail: `${error.message} (${error.code})`, ...(error.hint !== undefined && { remedy: error.hint }) };
}
