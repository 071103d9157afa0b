import { RunnerError } from "@anyrunner/core";
import type { Http2Connection } from "@anyrunner/protocol";

export interface LivenessOptions {
  readonly http2: Http2Connection;
  readonly onDead: (error: RunnerError) => void;
  /** Pause between pings, in ms. Default 15,000: less than the idle limits of common proxies. */
  readonly intervalMs?: number | undefined;
  /** How long a ping may stay without an answer, in ms. Default 45,000. */
  readonly budgetMs?: number | undefined;
}

/**
 * Pings the engine so that a silent query is not cut by a proxy, and a peer that is gone without a word is noticed.
 * Gives a function that stops it.
 */
export function watchLiveness({ http2, onDead, intervalMs = 15_000, budgetMs = 45_000 }: LivenessOptions): () => void {
  let deadline: NodeJS.Timeout | undefined;
  const beat = setInterval(() => {
    if (deadline !== undefined) return;
    deadline = setTimeout(() => {
      onDead(
        new RunnerError("CONNECTION_LOST", `the engine has not answered a ping for ${budgetMs / 1000} s`, {
          hint: "check the network to the engine, and the engine's log",
        }),
      );
    }, budgetMs).unref();
    http2.ping().then(answered, answered);
  }, intervalMs).unref();
  const answered = () => {
    clearTimeout(deadline);
    deadline = undefined;
  };
  return () => {
    clearInterval(beat);
    answered();
  };
}
