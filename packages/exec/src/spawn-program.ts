import type { Readable, Writable } from "node:stream";

import { throwIfAborted } from "@anyrunner/core";

import { endProgram } from "./end-program.ts";
import { signalProgram, trackProgram } from "./live-groups.ts";
import { startChild } from "./start-child.ts";

/** Ours, a pipe to us, or nothing. */
export type SpawnStdio = "inherit" | "pipe" | "ignore";

/** Which program, and what becomes of its streams. */
export interface SpawnProgramOptions {
  /** A name that PATH is searched for, or a path; never a line for a shell. */
  readonly command: string;
  readonly args?: readonly string[] | undefined;
  /** The whole environment of the program. Default: that of this process. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined;
  readonly cwd?: string | undefined;
  /** One word for all three streams, or one each for standard input, output and error. */
  readonly stdio: SpawnStdio | readonly [SpawnStdio, SpawnStdio, SpawnStdio];
  /** Ends the program: SIGTERM, then SIGKILL after the grace. */
  readonly signal?: AbortSignal | undefined;
  /** How long the program may take to obey SIGTERM, in ms. Default 2000. */
  readonly graceMs?: number | undefined;
  /** Stay in the terminal's process group: needed by whatever talks to the user. What it starts itself is then not signalled with it. Default false. */
  readonly terminal?: boolean | undefined;
}

/** A program that runs. */
export interface SpawnedProgram {
  readonly pid: number;
  /** Present when the stream is a pipe. */
  readonly stdin: Writable | undefined;
  readonly stdout: Readable | undefined;
  readonly stderr: Readable | undefined;
  /** Resolves when the program itself has ended; never rejects. */
  readonly exited: Promise<ProgramEnd>;
  /** Signals the program and, unless it stayed in the terminal's group, everything that it started. False when nothing is left. */
  kill(signal: NodeJS.Signals): boolean;
  /** SIGTERM, SIGKILL after the grace; resolves when the program has ended. */
  end(options?: { readonly graceMs?: number | undefined }): Promise<ProgramEnd>;
}

/** How a program ended: by itself with a code, or by a signal. */
export interface ProgramEnd {
  readonly exitCode: number | undefined;
  readonly signal: string | undefined;
}

/** Loads ahead of time what starting a program needs, for callers that wait for something else first. */
export async function prepareToSpawn(): Promise<void> {
  if (process.platform === "win32") await import("execa");
}

/**
 * Starts a program. It dies with this process at the latest.
 * Fails with NOT_FOUND (no such program; it is named), PERMISSION_DENIED, COMMAND_FAILED or ABORTED.
 */
export async function spawnProgram(options: SpawnProgramOptions): Promise<SpawnedProgram> {
  const { command, args = [], cwd, signal, stdio, graceMs = 2000 } = options;
  const ownGroup = options.terminal !== true;
  throwIfAborted(signal);
  await prepareToSpawn();
  throwIfAborted(signal);
  const child = await startChild(command, args, {
    env: { ...(options.env ?? process.env) },
    ...(cwd === undefined ? {} : { cwd }),
    stdio: typeof stdio === "string" ? stdio : [...stdio],
    detached: ownGroup,
  });

  const target = { child, ownGroup };
  const forget = trackProgram(target);
  const exited = new Promise<ProgramEnd>((resolve) => {
    child.once("exit", (exitCode: number | null, endSignal: string | null) => {
      signal?.removeEventListener("abort", onAbort);
      forget();
      resolve({ exitCode: exitCode ?? undefined, signal: endSignal ?? undefined });
    });
  });
  const end = async (grace: number) => {
    await endProgram(target, { graceMs: grace, exited });
    return exited;
  };
  const onAbort = () => void end(graceMs);
  signal?.addEventListener("abort", onAbort, { once: true });
  return {
    pid: child.pid,
    stdin: child.stdin ?? undefined,
    stdout: child.stdout ?? undefined,
    stderr: child.stderr ?? undefined,
    exited,
    kill: (name) => signalProgram(target, name),
    end: (endOptions = {}) => end(endOptions.graceMs ?? graceMs),
  };
}
