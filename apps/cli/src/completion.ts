import type { Argument, OptionHandler } from "@bomb.sh/tab";
import addTab from "@bomb.sh/tab/commander";
import { openUserStore, type UserSettings } from "@anyrunner/config";
import { createDefaultRegistry, isPlanned } from "@anyrunner/drivers";
import type { Command } from "commander";

import { SHELLS } from "./shell-exports.ts";

/** Adds `completion SHELL`, which prints the script, and the hidden `complete`, which the script calls. */
export async function addCompletionCommands(program: Command): Promise<void> {
  const names = await runnerNames();
  const root = addTab(program, { completionCommandName: "completion" });
  const runners = (): Choices => [...names, ...runnerSchemes()];
  for (const command of [root, ...root.commands.values()]) {
    offer(command.options.get("progress"), () => PROGRESS_MODES);
    offer(command.options.get("runner"), runners);
    if (command.value.startsWith("image ")) for (const [name, choices] of Object.entries(IMAGE_CHOICES)) offer(command.options.get(name), () => choices);
    if (command.value === "bridge") offer(command.options.get("listen"), () => LISTEN_URLS);
    offer(command.options.get("shell"), () => SHELLS.map((shell) => [shell, "its syntax"]));
    for (const name of ["runner", "url"]) offerArgument(command.arguments.get(name), command.value === "add" ? runnerSchemes : runners);
  }
}

/** What may stand behind an option, with a word about each. */
type Choices = readonly (readonly [value: string, description: string])[];

const PROGRESS_MODES: Choices = [
  ["auto", "as fits the terminal"],
  ["plain", "lines of text"],
  ["tty", "a tree on the terminal"],
  ["json", "lines of JSON"],
  ["quiet", "errors only"],
];

const LISTEN_URLS: Choices = [
  ["unix:///", "a socket for you alone"],
  ["tls://127.0.0.1:0", "clients with a certificate; any free port"],
  ["tcp://127.0.0.1:0", "everyone on this machine; any free port"],
];

const IMAGE_CHOICES: Readonly<Record<string, Choices>> = {
  strategy: [
    ["overlay", "files on top of the engine's image"],
    ["packages", "files of packages, too"],
    ["rebase", "the engine on another base image"],
  ],
  installer: [
    ["apt", "installs what the engine needs"],
    ["none", "the base image has it"],
  ],
  platform: [
    ["linux/amd64", ""],
    ["linux/arm64", ""],
  ],
  pull: [
    ["missing", "what isn't there"],
    ["always", "all"],
    ["never", "nothing"],
  ],
};

/** The user's own names; without secrets, since a name stands for all of its URL. */
async function runnerNames(): Promise<Choices> {
  const { runners = {} } = await openUserStore({ env: process.env })
    .read()
    .catch((): UserSettings => ({}));
  return Object.keys(runners).map((name) => [name, "a runner of yours"] as const);
}

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

function offerArgument(argument: Argument | undefined, choices: () => Choices): void {
  if (argument === undefined) return;
  argument.handler = (complete) => {
    for (const [value, description] of choices()) complete(value, description);
  };
}
