import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { isatty } from "node:tty";

import { HOME_VARIABLE, userFolders } from "@anyrunner/config";
import type { AttachableSettings, ClientPrompt } from "@anyrunner/engine";

import type { CommandContext } from "./command-context.ts";
import { createImageStore } from "./image-store/create-image-store.ts";
import { createMarkingPause } from "./pause-marking.ts";

/** One for the process, as the flags are that it sets. */
const pauseMarking = createMarkingPause();

export interface CliAttachablesOptions {
  /** Of the runner's URL. */
  readonly scheme: string;
  /** As for a terminal. */
  readonly onBorrow: () => () => void;
}

/** What a session of the command offers its engine of this machine, beyond files, secrets, sockets and logins. */
export function cliAttachables({ env }: CommandContext, { scheme, onBorrow }: CliAttachablesOptions): Partial<AttachableSettings> {
  return {
    terminal: {
      // Touched when a shell is opened and not before: a standard input that nobody reads is left to the child.
      get input() {
        return process.stdin;
      },
      get output() {
        return process.stdout;
      },
      get error() {
        return process.stderr;
      },
      onBorrow,
    },
    prompt: { answersFile: answersFile(env), ...questions(onBorrow) },
    onTransfer: pauseMarking,
    imageStore: createImageStore({ env, scheme }),
  };
}

/** A person is asked where there is one; elsewhere a question's own default is the answer. Standard input is not touched before. */
function questions(onBorrow: () => () => void): Pick<ClientPrompt, "confirm" | "read"> {
  if (!isatty(0) || !isatty(2)) return {};
  const asks = async () => (await import("./ask-on-terminal.ts")).askOnTerminal({ input: process.stdin, output: process.stderr, onBorrow });
  return {
    confirm: async (question, options) => (await asks()).confirm(question, options),
    read: async (question, options) => (await asks()).read(question, options),
  };
}

/** The file of the official client: a yes that was given there counts here, too. */
function answersFile(env: CommandContext["env"]): string {
  const folder =
    process.platform === "darwin" && !env["XDG_CONFIG_HOME"]
      ? join(env["HOME"] || homedir(), "Library/Application Support")
      : dirname(userFolders({ env: { ...env, [HOME_VARIABLE]: undefined } }).config);
  return join(folder, "dagger", "prompt-confirmations.json");
}
