import { spawn, type ChildProcess, type SpawnOptions } from "node:child_process";
import { once } from "node:events";

import { startError } from "./start-error.ts";

export type StartedChild = ChildProcess & { readonly pid: number };

/**
 * A program that has been started. Fails with NOT_FOUND (no such program; it is named), PERMISSION_DENIED or COMMAND_FAILED.
 *
 * By Node's own `spawn`; on Windows, where programs are scripts with extensions and rules of their own, by execa. To load that costs as much as
 * starting fifteen programs: docs/decisions/0025.
 */
export async function startChild(command: string, args: readonly string[], options: SpawnOptions): Promise<StartedChild> {
  if (process.platform === "win32") return startByExeca(command, args, options);
  const child = startOrThrow(command, args, options);
  // A pipe that breaks, and a program that doesn't let itself be signalled, show by its end.
  for (const emitter of [child, child.stdin, child.stdout, child.stderr]) emitter?.on("error", () => {});
  if (hasStarted(child)) return child;
  const [cause] = (await once(child, "error")) as [unknown];
  throw startError({ command, cwd: folderOf(options), cause });
}

function startOrThrow(command: string, args: readonly string[], options: SpawnOptions): ChildProcess {
  try {
    return spawn(command, args, options);
  } catch (cause) {
    throw startError({ command, cwd: folderOf(options), cause });
  }
}

async function startByExeca(command: string, args: readonly string[], { env, cwd, stdio, detached }: SpawnOptions): Promise<StartedChild> {
  const { execa } = await import("execa");
  const started = execa(command, args, {
    env: env ?? {},
    extendEnv: false,
    ...(cwd === undefined ? {} : { cwd }),
    stdio: stdio as "pipe",
    buffer: false,
    reject: false,
    cleanup: false,
    detached: detached ?? false,
  });
  const child: ChildProcess = started.nodeChildProcess;
  if (hasStarted(child)) return child;
  throw startError({ command, cwd: folderOf({ cwd }), cause: await started });
}

function hasStarted(child: ChildProcess): child is StartedChild {
  return child.pid !== undefined;
}

function folderOf({ cwd }: Pick<SpawnOptions, "cwd">): string | undefined {
  return typeof cwd === "string" ? cwd : undefined;
}
