import type { Command } from "commander";

import type { CommandContext } from "./command-context.ts";

type Values = Readonly<Record<string, unknown>>;
type Action = (context: CommandContext, values: Values, args: readonly string[]) => Promise<number>;

/** Adds a command whose action gives the exit code. */
export type AddCommand = (parent: Command, usage: string, description: string, action: Action) => Command;

const RUNNER = "<runner>";
const RUNNER_HELP = "a name, a URL, or an id that `anyrunner ls` shows";
const STOP_TIMEOUT_HELP = "how long the engine may take to end its sessions and shut down";

/** The commands that look after runners. What they do is loaded when one is called. */
export function addRunnerCommands(program: Command, add: AddCommand): void {
  addNaming(program, add);
  addLooking(program, add);
  addLifeCycle(program, add);
}

function addNaming(program: Command, add: AddCommand): void {
  add(program, "add", "give a runner a name", async (context, values, [name = "", url = ""]) =>
    (await import("./commands/add.ts")).addCommand(context, { name, url, replace: values["replace"] === true }),
  )
    .argument("<name>", "what to call it")
    .argument("<url>", "its URL; - reads it from standard input, which keeps a password out of the list of processes")
    .option("--replace", "let the name stand for another URL than before");
  add(program, "use", "choose the runner that is used where nothing else names one", async (context, values, [runner]) =>
    (await import("./commands/use.ts")).useCommand(context, { runner, clear: values["clear"] === true }),
  )
    .argument("[runner]", "a name or a URL; without it the choice is shown")
    .option("--clear", "take the choice back");
}

function addLooking(program: Command, add: AddCommand): void {
  add(program, "ls", "list the runners that have names, and the engines that were made", async (context, values) => {
    const [{ lsCommand }, timeoutMs] = await Promise.all([import("./commands/ls.ts"), timeoutOf(values)]);
    return lsCommand(context, { timeoutMs });
  }).option("--timeout <duration>", "how long each runner may take to say its state", "2s");
  add(program, "inspect", "show what is known about a runner", async (context, _, [runner = ""]) =>
    (await import("./commands/inspect.ts")).inspectCommand(context, runner),
  ).argument(RUNNER, RUNNER_HELP);
  add(program, "logs", "print the engine's log", async (context, values, [runner = ""]) =>
    (await import("./commands/logs.ts")).logsCommand(context, { runner, follow: values["follow"] === true, tail: String(values["tail"]) }),
  )
    .argument(RUNNER, RUNNER_HELP)
    .option("-n, --tail <lines>", "how many of the last lines to begin with", "100")
    .option("-f, --follow", "go on with what is written from now on");
  add(program, "du", "show what runners take on the disk", async (context, _, [runner]) =>
    (await import("./commands/du.ts")).duCommand(context, runner),
  ).argument("[runner]", `${RUNNER_HELP}; without it all`);
}

function addLifeCycle(program: Command, add: AddCommand): void {
  add(program, "start", "start a stopped engine, or make the one that a URL asks for", async (context, _, [runner = ""]) =>
    (await import("./commands/start.ts")).startCommand(context, runner),
  ).argument(RUNNER, RUNNER_HELP);
  add(program, "stop", "stop an engine that anyrunner made, after its sessions", async (context, values, [runner = ""]) => {
    const [{ stopCommand }, graceMs] = await Promise.all([import("./commands/stop.ts"), timeoutOf(values)]);
    return stopCommand(context, { runner, force: values["force"] === true, graceMs });
  })
    .argument(RUNNER, RUNNER_HELP)
    .option("--force", "kill it at once; its cache is then lost")
    .option("--timeout <duration>", STOP_TIMEOUT_HELP, "10m");
  add(program, "rm", "remove an engine that anyrunner made, and the name of a runner", async (context, values, [runner = ""]) => {
    const [{ rmCommand }, graceMs] = await Promise.all([import("./commands/rm.ts"), timeoutOf(values)]);
    return rmCommand(context, { runner, volume: values["volume"] === true, force: values["force"] === true, dryRun: values["dryRun"] === true, graceMs });
  })
    .argument(RUNNER, RUNNER_HELP)
    .option("--volume", "remove its cache volume, too")
    .option("--force", "don't wait for its sessions")
    .option("--dry-run", "only show what would be removed")
    .option("--timeout <duration>", STOP_TIMEOUT_HELP, "10m");
  const reaper = program.command("reaper", { hidden: true }).description("stops engines that are idle; started by other commands");
  add(reaper, "run", "watch until nothing is left to watch", async (context) => (await import("./commands/reaper.ts")).reaperCommand(context));
  add(program, "prune", "remove the engines that anyrunner made and that don't run, and unneeded images of embedded://; caches stay", async (context, values) =>
    (await import("./commands/prune.ts")).pruneCommand(context, {
      dryRun: values["dryRun"] === true,
      keep: typeof values["keep"] === "string" ? values["keep"] : undefined,
    }),
  )
    .option("--keep <number>", "spare that many, the last used ones of each image's repository")
    .option("--dry-run", "only show what would be removed");
}

async function timeoutOf(values: Values): Promise<number> {
  return (await import("./parse-duration.ts")).parseDuration(String(values["timeout"]), "--timeout");
}
