import type { OptionHandler } from "@bomb.sh/tab";
import addTab from "@bomb.sh/tab/commander";
import { createDefaultRegistry, isPlanned } from "@anyrunner/drivers";
import type { Command } from "commander";

/** Adds `completion SHELL`, which prints the script, and the hidden `complete`, which the script calls. */
export function addCompletionCommands(program: Command): void {
  const root = addTab(program, { completionCommandName: "completion" });
  for (const command of [root, ...root.commands.values()]) {
    offer(command.options.get("progress"), () => PROGRESS_MODES);
    offer(command.options.get("runner"), runnerSchemes);
  }
}

/** What may stand behind an option, with a word about each. */
type Choices = readonly (readonly [value: string, description: string])[];

const PROGRESS_MODES: Choices = [
  ["auto", "as fits the terminal"],
  ["plain", "lines of text"],
  ["json", "lines of JSON"],
];

function runnerSchemes(): Choices {
  const { entries } = createDefaultRegistry({ cwd: process.cwd(), env: process.env });
  return entries.filter((entry) => !isPlanned(entry)).flatMap((entry) => entry.schemes.map((scheme) => [`${scheme}://`, entry.name] as const));
}

function offer(option: { isBoolean?: boolean; handler?: OptionHandler } | undefined, choices: () => Choices): void {
  if (option === undefined) return;
  option.isBoolean = false;
  option.handler = (complete) => {
    for (const [value, description] of choices()) complete(value, description);
  };
}
