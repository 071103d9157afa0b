import type { Readable, Writable } from "node:stream";

import type { ClientPrompt } from "@anyrunner/engine";

export interface AskOnTerminalOptions {
  readonly input: Readable;
  readonly output: Writable;
  /** Called for the time of a question; what it gives is called afterwards. For whoever else writes to the terminal. */
  readonly onBorrow: () => () => void;
}

export interface TerminalQuestions {
  readonly confirm: NonNullable<ClientPrompt["confirm"]>;
  readonly read: NonNullable<ClientPrompt["read"]>;
}

/**
 * Asks the engine's questions of the person at the terminal. An empty line is the question's default; of yes or no, everything that
 * doesn't begin with a y is a no. Fails with the signal's reason, and when the terminal is gone.
 */
export function askOnTerminal(options: AskOnTerminalOptions): TerminalQuestions {
  return {
    async confirm(question, { signal }) {
      const answer = await ask(options, `${question.title}\n${question.prompt} [${question.default ? "Y/n" : "y/N"}] `, signal);
      return answer === "" ? question.default : /^y/i.test(answer);
    },
    async read(question, { signal }) {
      const answer = await ask(options, `${question.title}\n${question.prompt}\n> `, signal);
      return answer === "" ? question.default : answer;
    },
  };
}

async function ask({ input, output, onBorrow }: AskOnTerminalOptions, text: string, signal: AbortSignal): Promise<string> {
  const { createInterface } = await import("node:readline/promises");
  const giveBack = onBorrow();
  const lines = createInterface({ input, output });
  const gone = new AbortController();
  lines.once("close", () => gone.abort(new Error("there is nobody at the terminal any more")));
  // Ctrl-C means the command, not the line.
  lines.once("SIGINT", () => {
    lines.close();
    process.kill(process.pid, "SIGINT");
  });
  try {
    return (await lines.question(text, { signal: AbortSignal.any([signal, gone.signal]) })).trim();
  } catch (error) {
    output.write("\n");
    throw gone.signal.aborted && !signal.aborted ? gone.signal.reason : error;
  } finally {
    lines.close();
    giveBack();
  }
}
