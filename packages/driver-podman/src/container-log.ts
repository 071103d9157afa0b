import { PassThrough, type Readable } from "node:stream";

import { abortedError, RunnerError } from "@anyrunner/core/driver";

import { cliWords } from "./command-failure.ts";
import type { ContainerCli } from "./container-cli.ts";

export interface ReadLogOptions {
  readonly tail: number;
  readonly follow: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** The log of a container as text; standard output and error come in the order in which the CLI writes them. Fails with COMMAND_FAILED. */
export async function* readLog(cli: ContainerCli, container: string, options: ReadLogOptions): AsyncGenerator<string, void, undefined> {
  const { tail, follow, signal } = options;
  const child = await cli.spawn(cli.runtime.grammar.logs(container, { tail, follow }), { signal });
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

/** Whole characters of both, as they come; who doesn't read stops the writers. */
function merge(sources: readonly Readable[]): PassThrough {
  const merged = new PassThrough({ objectMode: true });
  let open = sources.length;
  for (const source of sources) {
    source.setEncoding("utf8");
    source.pipe(merged, { end: false });
    source.once("close", () => --open === 0 && merged.end());
  }
  return merged;
}
