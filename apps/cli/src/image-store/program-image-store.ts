import type { Readable } from "node:stream";
import { addAbortSignal } from "node:stream";
import { pipeline } from "node:stream/promises";

import { abortedError, RunnerError } from "@anyrunner/core";
import type { ImageStore } from "@anyrunner/engine";
import type { ProgramStream } from "@anyrunner/exec";

import { loadedImage } from "./loaded-image.ts";

export interface ProgramImageStoreOptions {
  readonly command: string;
  /** Words before `load`, `save` and `tag`: Apple's container has its images behind `image`. Default: none. */
  readonly words?: readonly string[] | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The longest answer to a load that is looked at; it is a line or two. */
const ANSWER_BYTES = 1024 * 1024;
const TAG_BUDGET_MS = 30_000;

/**
 * Images of a container engine that is spoken to by its program, as Podman is where no service of it runs. Fails with NOT_AVAILABLE
 * (no such program), COMMAND_FAILED with what the program said last, ABORTED; `save` with NOT_FOUND when there is no such image.
 */
export function createProgramImageStore({ command, words = [], env }: ProgramImageStoreOptions): ImageStore {
  const open = async (args: readonly string[], signal: AbortSignal): Promise<ProgramStream> => {
    const { openProgramStream } = await import("@anyrunner/exec");
    const program = await openProgramStream({ command, args: [...words, ...args], env, signal });
    addAbortSignal(signal, program.stream);
    return program;
  };
  return {
    async load(archive, { name, signal }) {
      const program = await open(["load"], signal);
      const answer = await converse(program, archive);
      if (signal.aborted) throw abortedError(signal);
      await requireSuccess(program, `${command} did not load the image`);
      const image = loadedImage(answer);
      if (image === undefined) throw new RunnerError("COMMAND_FAILED", `${command} did not say which image it loaded`);
      const { runProgram } = await import("@anyrunner/exec");
      const tagged = await runProgram({ command, args: [...words, "tag", image, name], env, signal, timeoutMs: TAG_BUDGET_MS });
      if (tagged.exitCode !== 0) throw new RunnerError("COMMAND_FAILED", `${command} did not give the image its name ${name}: ${lastLine(tagged.stderr)}`);
    },
    async save({ name, signal }) {
      const program = await open(["save", name], signal);
      program.stream.end();
      return savedArchive(program, { command, name, signal });
    },
  };
}

/** Sends the archive and gives what is answered; how it went wrong is in the program's exit code. */
async function converse({ stream }: ProgramStream, archive: Readable): Promise<string> {
  const sent = pipeline(archive, stream).catch(() => {});
  let answer = "";
  try {
    for await (const chunk of stream) {
      if (answer.length < ANSWER_BYTES) answer += String(chunk);
    }
  } catch {
    // A broken pipe says less than the exit code.
  }
  await sent;
  return answer;
}

async function* savedArchive(
  program: ProgramStream,
  { command, name, signal }: { readonly command: string; readonly name: string; readonly signal: AbortSignal },
): AsyncGenerator<Uint8Array> {
  try {
    yield* program.stream as AsyncIterable<Uint8Array>;
  } catch (error) {
    throw signal.aborted ? abortedError(signal) : error;
  } finally {
    program.stream.destroy();
  }
  const { exitCode, stderr } = await program.ended();
  if (exitCode === 0) return;
  if (/no such image|image not known|not found|no image/i.test(stderr)) {
    throw new RunnerError("NOT_FOUND", `${command} has no image ${name}`, { hint: "pull or build it first" });
  }
  throw new RunnerError("COMMAND_FAILED", `${command} did not give the image ${name}: ${lastLine(stderr)}`);
}

async function requireSuccess(program: ProgramStream, failure: string): Promise<void> {
  const { exitCode, stderr } = await program.ended();
  if (exitCode !== 0) throw new RunnerError("COMMAND_FAILED", `${failure}: ${lastLine(stderr)}`);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
