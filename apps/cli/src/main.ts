import { RunnerError } from "@anyrunner/core";
import { CommanderError } from "commander";

import { keepCompiledCode } from "./compile-cache.ts";
import { createProgram } from "./create-program.ts";
import { EXIT, exitCodeOf } from "./exit-codes.ts";
import { printError } from "./print-error.ts";

export interface MainOptions {
  /** Without node and file. */
  readonly argv: readonly string[];
  readonly version: string;
}

/** How long the process may linger after its work, in ms, before it is ended by force. */
const LINGER_MS = 2000;

/** Runs the command that `argv` names and sets the exit code of the process. */
export async function main({ argv, version }: MainOptions): Promise<void> {
  keepCompiledCode(process.env);
  // A reader that goes away (`| head`) is no failure of ours.
  process.stdout.on("error", () => {});
  process.stderr.on("error", () => {});
  const json = wantsJson(argv);
  const show = (error: unknown) => printError(error, { json, version, stderr: process.stderr, env: process.env });
  // An error that no one waited for is a defect; what must die with this process dies in its exit handlers.
  process.once("uncaughtException", (error) => {
    show(RunnerError.is(error) ? new RunnerError("INTERNAL", error.message, { cause: error }) : error);
    process.exit(EXIT.internal);
  });
  // An engine inside this process has no socket that would keep Node from ending while an answer is awaited.
  const alive = setInterval(() => {}, 1 << 30);
  try {
    const program = await createProgram({ argv, version, setExitCode: (code) => (process.exitCode = code) });
    await program.parseAsync([...argv], { from: "user" });
  } catch (error) {
    // Commander throws for help, too.
    if (error instanceof CommanderError && error.exitCode === 0) return;
    const shown = error instanceof CommanderError ? usageError(error, argv) : error;
    show(shown);
    process.exitCode = exitCodeOf(shown);
  } finally {
    clearInterval(alive);
  }
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

/** Commander's message is `error: what`, perhaps followed by a line `(Did you mean --this?)` or `(Did you mean one of --this, --that?)`. */
function usageError({ message }: CommanderError, [command = ""]: readonly string[]): RunnerError {
  const [what = "", suggestion = ""] = message.replace(/^error: /, "").split("\n");
  const meant = /^\(Did you mean (?:one of )?(.*)\?\)$/.exec(suggestion)?.[1];
  const question = meant === undefined ? "" : `did you mean ${meant.replaceAll(/[^\s,]+/g, '"$&"').replace(/, (?=[^,]*$)/, " or ")}? `;
  return new RunnerError("USAGE", sentence(what), { hint: `${question}see anyrunner ${/^[a-z]/.test(command) ? `${command} ` : ""}--help` });
}

/** Commander's words in the form of our own: `option "--x"`. */
function sentence(what: string): string {
  return what.replaceAll(/'([^']*)'/g, '"$1"').replace(/\.$/, "");
}

/** Known before the arguments are parsed, so that their errors obey it, too. What follows `--` belongs to another program. */
function wantsJson(argv: readonly string[]): boolean {
  const end = argv.indexOf("--");
  return (end < 0 ? argv : argv.slice(0, end)).includes("--json");
}
