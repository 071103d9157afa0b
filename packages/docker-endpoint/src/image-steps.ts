import { RunnerError } from "@anyrunner/core";

/** One line of what a daemon says while it pulls, pushes or builds. */
export interface ImageStep {
  readonly id?: string;
  readonly status?: string;
  /** Output of a build. */
  readonly stream?: string;
  readonly error?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** What came of a push. */
  readonly aux?: { readonly Digest?: string };
}

/**
 * Reads the lines of a pull, push or build to their end. The answer is 200 whatever happens: how it went is in its lines. Rejects with a plain
 * error that has the daemon's words, or with CONNECTION_LOST: an answer that is cut off is no success. `work` names it: `a pull`.
 */
export async function followImageSteps(body: NodeJS.ReadableStream, push: (step: ImageStep) => void, work: string): Promise<void> {
  let rest = "";
  let ended = false;
  body.once("end", () => (ended = true));
  body.setEncoding("utf8");
  for await (const chunk of body) {
    const lines = (rest + String(chunk)).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) pushLine(line, push);
  }
  pushLine(rest, push);
  if (!ended) throw new RunnerError("CONNECTION_LOST", `the Docker daemon closed the connection in the middle of ${work}`, { retryable: true });
}

function pushLine(line: string, push: (step: ImageStep) => void): void {
  if (line.trim() === "") return;
  const step = JSON.parse(line) as ImageStep;
  if (step.error !== undefined) throw new Error(step.error);
  push(step);
}
