import { PassThrough, Transform, type Readable } from "node:stream";

import { abortedError, RunnerError } from "@anyrunner/core/driver";

import { cliWords } from "./command-failure.ts";
import type { ContainerCli } from "./container-cli.ts";

const LONGEST_LINE = 64 * 1024;

export interface ReadLogOptions {
  readonly tail: number;
  readonly follow: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The log of a container as text; standard output and error come in the order in which the CLI writes them. Fails with COMMAND_FAILED. */
export function readLog(cli: ContainerCli, container: string, { tail, follow, signal }: ReadLogOptions): AsyncGenerator<string, void, undefined> {
  return readOutput(cli, cli.runtime.grammar.logs(container, { tail, follow }), { container, signal });
}

export interface ReadSinceOptions {
  /** ISO 8601. */
  readonly since: string;
  /** Only the last lines of it. Default: all. */
  readonly tail?: number | undefined;
  /** How much is read at most, in characters. */
  readonly limit: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a container has logged since that moment, from its beginning up to a limit; `undefined` where the runtime can't say. Fails with COMMAND_FAILED. */
export async function readLogSince(cli: ContainerCli, container: string, { since, tail, limit, signal }: ReadSinceOptions): Promise<string | undefined> {
  const args = cli.runtime.grammar.logsSince?.(container, since, { tail });
  if (args === undefined) return undefined;
  let text = "";
  for await (const chunk of readOutput(cli, args, { container, signal })) {
    text += chunk;
    if (text.length > limit) break;
  }
  return text;
}

async function* readOutput(
  cli: ContainerCli,
  args: readonly string[],
  { container, signal }: { readonly container: string; readonly signal: AbortSignal | undefined },
): AsyncGenerator<string, void, undefined> {
  const child = await cli.spawn(args, { signal });
  const { stdout, stderr } = child as { readonly stdout: Readable; readonly stderr: Readable };
  let lastError = "";
  stderr.setEncoding("utf8").on("data", (text: string) => (lastError = (lastError + text).slice(-1000)));
  try {
    for await (const text of merge([stdout, stderr])) yield text as string;
    const { exitCode } = await child.exited;
    if (signal?.aborted) throw abortedError(signal);
    if (exitCode !== 0) {
      throw new RunnerError("COMMAND_FAILED", `the log of the container ended early: ${cliWords(lastError)}`, {
        hint: `try: ${cli.shown} logs ${container}`,
        driver: cli.runtime.name,
      });
    }
  } finally {
    stdout.destroy();
    stderr.destroy();
    await child.end();
  }
}

/** The end of the log, at most `bytes` of it. */
export async function readLastLog(
  cli: ContainerCli,
  container: string,
  options: { readonly lines: number; readonly bytes: number; readonly signal?: AbortSignal | undefined },
): Promise<string> {
  let text = "";
  for await (const chunk of readLog(cli, container, { tail: options.lines, follow: false, signal: options.signal }))
    text = (text + chunk).slice(-options.bytes);
  return Buffer.from(text).subarray(-options.bytes).toString("utf8");
}

/** Whole lines of both, as they come; who doesn't read stops the writers. */
function merge(sources: readonly Readable[]): PassThrough {
  const merged = new PassThrough({ objectMode: true });
  let open = sources.length;
  for (const source of sources) {
    const lines = wholeLines();
    lines.once("end", () => --open === 0 && merged.end());
    // One that breaks has no end.
    source.setEncoding("utf8").once("close", () => lines.end());
    source.pipe(lines).pipe(merged, { end: false });
  }
  return merged;
}

/** Holds back what has no end of line yet, within reason. */
function wholeLines(): Transform {
  let rest = "";
  return new Transform({
    objectMode: true,
    transform(chunk: string, _encoding, done) {
      const text = rest + chunk;
      const end = text.length > LONGEST_LINE ? text.length : Math.max(text.lastIndexOf("\n"), text.lastIndexOf("\r")) + 1;
      rest = text.slice(end);
      done(null, end === 0 ? undefined : text.slice(0, end));
    },
    flush: (done) => done(null, rest === "" ? undefined : rest),
  });
}
