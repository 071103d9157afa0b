import { RunnerError } from "@anyrunner/core";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { findRunner, requireHandle } from "../find-runner.ts";
import { interruptible } from "../interrupts.ts";
import { requireAbility } from "../require-ability.ts";

export interface LogsCommandOptions {
  readonly runner: string;
  readonly follow: boolean;
  /** How many of the last lines to begin with. */
  readonly tail: string;
}

/** Prints the end of an engine's log; with `--json` one object a line. Fails with NOT_FOUND, UNSUPPORTED, USAGE, or as the driver does. */
export function logsCommand(context: CommandContext, { runner: word, follow, tail }: LogsCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    if (!/^\d{1,7}$/.test(tail)) throw new RunnerError("USAGE", `--tail is no number: "${tail}"`, { hint: "write for example --tail 50" });
    const runner = await findRunner(context, word, signal);
    const driver = requireAbility(runner, "logs", "logs");
    try {
      await print(context, driver.logs(requireHandle(runner), { tail: Number(tail), follow, signal }));
    } catch (error) {
      // That is how following a log ends.
      if (follow && signal.aborted && RunnerError.is(error) && error.code === "ABORTED") return EXIT.interrupted;
      throw error;
    }
    return EXIT.success;
  });
}

async function print(context: CommandContext, chunks: AsyncIterable<string>): Promise<void> {
  let rest = "";
  for await (const chunk of chunks) {
    const lines = `${rest}${chunk}`.split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) await write(format(context, line));
  }
  if (rest !== "") await write(format(context, rest));
}

function format({ json }: CommandContext, line: string): string {
  return json ? JSON.stringify({ line }) : line;
}

/** A reader that is slower than the log slows the log down. */
async function write(line: string): Promise<void> {
  if (process.stdout.destroyed || process.stdout.write(`${line}\n`)) return;
  await new Promise<void>((resolve) => {
    process.stdout.once("drain", resolve).once("close", resolve);
  });
}
