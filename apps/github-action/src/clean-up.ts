import { readFile, rm } from "node:fs/promises";
import { basename, join } from "node:path";

import { runAnyrunner } from "./run-anyrunner.ts";
import type { Workflow } from "./workflow-commands.ts";

export interface CleanUpOptions {
  readonly workflow: Workflow;
  readonly signal: AbortSignal;
}

/** The second half of the action, after the last step of the job, also of one that failed: what the first half started ends, and its folder goes. */
export async function cleanUp({ workflow, signal }: CleanUpOptions): Promise<void> {
  const { STATE_folder: folder = "", STATE_command: command = "", STATE_address: address = "" } = workflow.env;
  // It is removed with all that is in it, so it must be what the first half made.
  if (!basename(folder).startsWith("anyrunner-")) return;
  try {
    if (address !== "") await stopRunner({ workflow, folder, command, address, signal });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function stopRunner({
  workflow,
  folder,
  command,
  address,
  signal,
}: CleanUpOptions & Readonly<Record<"folder" | "command" | "address", string>>): Promise<void> {
  const env = { ...workflow.env, ANYRUNNER_HOME: join(folder, "home") };
  await workflow.group("End the runner", async () => {
    const { stopped } = await runAnyrunner({ command, args: ["bridge", "--stop", address], env, cwd: folder, print: workflow.print, signal });
    workflow.print(stopped === true ? `ended ${address}` : `${address} had ended before`);
    for (const line of await laterLines(join(folder, "bridge.log"))) workflow.print(line);
  });
}

/** What the bridge wrote after the line with which it began to serve. */
async function laterLines(logFile: string): Promise<readonly string[]> {
  const lines = (await readFile(logFile, "utf8").catch(() => "")).trimEnd().split("\n");
  const serving = lines.findIndex((line) => line.startsWith("{") && line.includes('"address"'));
  return lines.slice(serving + 1);
}
