import { RunnerError } from "@anyrunner/core";

/** The signals that ask this process to end. */
const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
export type EndSignal = (typeof END_SIGNALS)[number];

/** Calls `listener` for each signal that asks us to end, until the returned function is called. */
export function onInterrupt(listener: (signal: EndSignal) => void): () => void {
  for (const signal of END_SIGNALS) process.on(signal, listener);
  return () => {
    for (const signal of END_SIGNALS) process.off(signal, listener);
  };
}

/** What an interrupted command fails with, unless whoever is interrupted knows more. */
export function interruption(signal: EndSignal): RunnerError {
  return new RunnerError("ABORTED", "interrupted", { cause: new Error(signal) });
}

/** Runs `work` with a signal that the first interrupt aborts. The second one ends the process at once. */
export async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const controller = new AbortController();
  const stop = onInterrupt((signal) => {
    if (controller.signal.aborted) process.exit(130);
    controller.abort(interruption(signal));
  });
  try {
    return await work(controller.signal);
  } finally {
    stop();
  }
}
