import { throwIfAborted } from "@anyrunner/core";
import { runProgram } from "@anyrunner/exec";

import type { Environment } from "../user-folders.ts";
import { releasedVersion, type VersionClue } from "./version-clue.ts";

const BUDGET_MS = 3000;

/** What `dagger version` says, if there is a `dagger` on PATH that answers within three seconds. Fails with ABORTED only. */
export async function installedCliClue({
  env,
  signal,
}: {
  readonly env: Environment;
  readonly signal?: AbortSignal | undefined;
}): Promise<VersionClue | undefined> {
  try {
    const { stdout } = await runProgram({ command: "dagger", args: ["version"], env, signal, timeoutMs: BUDGET_MS, maxOutputBytes: 64 * 1024 });
    const version = releasedVersion(/^dagger (\S+)/m.exec(stdout.toString())?.[1] ?? "");
    return version === undefined ? undefined : { version, exact: true, of: "Dagger CLI", place: "dagger version" };
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}
