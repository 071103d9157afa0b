import { abortedError, type CallOptions } from "@anyrunner/core/driver";

import { leave, openCall, type CallProgram } from "./open-call.ts";
import { brokenProtocol } from "./program-error.ts";

/** What the program writes after its answer, as text. Leaving the iteration ends the program. */
export async function* readLogs(call: CallProgram<"logs">): AsyncGenerator<string> {
  const { signal }: CallOptions = call.options;
  const { program } = await openCall(call);
  const { stream } = program;
  const abort = () => stream.destroy(abortedError(signal as AbortSignal));
  signal?.addEventListener("abort", abort, { once: true });
  if (signal?.aborted) abort();
  const decoder = new TextDecoder();
  try {
    for await (const chunk of stream) {
      const text = decoder.decode(chunk as Buffer, { stream: true });
      if (text !== "") yield text;
    }
    const rest = decoder.decode();
    if (rest !== "") yield rest;
    const { exitCode, signal: endSignal } = await program.exited;
    if (exitCode !== 0) {
      throw brokenProtocol(
        `ended with ${exitCode === undefined ? `signal ${endSignal ?? "unknown"}` : `exit code ${exitCode}`} in the middle of the log`,
        call.voice,
        program.stderrTail(),
      );
    }
  } catch (error) {
    throw signal?.aborted ? abortedError(signal) : error;
  } finally {
    signal?.removeEventListener("abort", abort);
    await leave(program);
  }
}
