import { join } from "node:path";

import { userFolders } from "@anyrunner/config";
import type { RunnerHandle } from "@anyrunner/core";
import { idleMsOf, keepOf } from "@anyrunner/engine-container";

import type { CommandContext } from "../command-context.ts";
import { findReaper } from "./reaper-lock.ts";

/** Starts the user's reaper for an engine that asks for one, unless it runs already. What can't be started is a warning. */
export async function startReaperFor({ env, report }: CommandContext, handle: RunnerHandle): Promise<void> {
  if (!handle.owned || (idleMsOf(handle.labels) === undefined && keepOf(handle.labels) === undefined)) return;
  if ((await findReaper({ env })) !== undefined) return;
  const { startDetached } = await import("@anyrunner/exec");
  const { state } = userFolders({ env });
  const args = [...process.execArgv, ...(process.argv[1] === undefined ? [] : [process.argv[1]])];
  const pid = await startDetached({
    command: process.execPath,
    args: [...args, "reaper", "run"],
    env: withoutSession(env),
    cwd: "/",
    logFile: join(state, "reaper.log"),
  }).catch(() => undefined);
  if (pid === undefined) report({ type: "warning", id: "reaper", message: "the reaper can't be started: the engine is not stopped when it is idle" });
}

/** It must not live in a session that ends. */
function withoutSession(env: CommandContext["env"]): CommandContext["env"] {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^(DAGGER_SESSION_|TRACEPARENT$)/.test(name)));
}
