import { existsSync, watch, type FSWatcher } from "node:fs";

import { abortedError, RunnerError } from "@anyrunner/core";

import { formatSshHost, type SshHost } from "./ssh-host.ts";

/** ssh links the control socket to its place when it is logged in and listens. */
export function untilExists(
  path: string,
  folder: string,
  { signal, budgetMs, host }: { readonly signal: AbortSignal | undefined; readonly budgetMs: number; readonly host: SshHost },
): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher = watchIfThere(folder);
    // ssh has ended already, and taken the folder with it; that is told elsewhere.
    if (watcher === undefined) return;
    const settle = (then: () => void) => {
      clearTimeout(timer);
      watcher.close();
      signal?.removeEventListener("abort", onAbort);
      then();
    };
    const onAbort = () => settle(() => reject(abortedError(signal as AbortSignal)));
    const check = () => {
      if (existsSync(path)) settle(resolve);
    };
    const timer = setTimeout(() => settle(() => reject(outOfTime(host, budgetMs))), budgetMs);
    signal?.addEventListener("abort", onAbort, { once: true });
    watcher.on("change", check);
    // The folder goes when ssh ends first; that is told elsewhere.
    watcher.on("error", () => {});
    if (signal?.aborted) onAbort();
    else check();
  });
}

function watchIfThere(folder: string): FSWatcher | undefined {
  try {
    return watch(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

function outOfTime(host: SshHost, budgetMs: number): RunnerError {
  return new RunnerError("TIMEOUT", `logging in to ${formatSshHost(host)} took longer than ${budgetMs / 1000} s`, {
    hint: "check the address, and whether a firewall drops packets",
    retryable: true,
  });
}
