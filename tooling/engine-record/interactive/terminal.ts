import { createHash } from "node:crypto";
import { setTimeout as delay } from "node:timers/promises";

import { startOnTerminal, type PseudoTerminal, type StartOnTerminalOptions } from "./pseudo-terminal.ts";

export type Fields = Readonly<Record<string, string>>;

/** What a prompt of busybox ends with; it asks for the cursor's place behind it. */
const PROMPT = /[#$] (\u001b\[(6n|J))*$/;
const PASTED = Array.from({ length: 2000 }, (_, index) => String(index).padStart(10, "0")).join("");
const LINES = 20_000;

/** Works in the shell that `command` opens in a container, and says what came of each thing. */
export async function workInTerminal(command: readonly string[], options: Pick<StartOnTerminalOptions, "cwd" | "env">): Promise<Fields> {
  const terminal = await startOnTerminal(command, { ...options, columns: 99, rows: 33 });
  await terminal.shows(PROMPT);
  const size = await ask(terminal, `echo "<"$(stty size)">"`);
  const error = await ask(terminal, `echo "<"said">" >&2`);
  await terminal.resize(120, 40);
  const resized = await ask(terminal, `until [ "$(stty size)" = "40 120" ]; do sleep 0.1; done; echo "<"$(stty size)">"`);
  const interrupted = await interrupt(terminal);
  const key = await ask(terminal, `echo re""ady; read -n 1 key; echo "<"$key">"`, { reply: "x" });
  const pasted = await ask(terminal, `modes=$(stty -g); echo "<"$(stty raw -echo; echo re""ady >&2; head -c ${PASTED.length} | md5sum; stty $modes)">"`, {
    reply: PASTED,
  });
  const lines = await countLines(terminal);
  const bytes = await ask(terminal, `printf '<\\303\\251\\342\\234\\223>\\n'`);
  const from = terminal.seen().length;
  terminal.type("exit $((1+2))\r");
  const { code, restored } = await terminal.end();
  return {
    "size of the terminal": size,
    "standard error": error,
    "a new size": resized,
    "Ctrl-C ends what runs in the container, not the client": interrupted,
    "one key without Enter": key,
    "20,000 bytes pasted": pasted === createHash("md5").update(PASTED).digest("hex") ? "all" : pasted,
    "20,000 lines shown": lines,
    "letters of more than one byte": bytes,
    "the shell's exit code": /exit \d+/.exec(terminal.seen().slice(from))?.[0] ?? "not said",
    "the pipeline goes on": answerOf(terminal.seen()),
    "the client's exit code": String(code),
    "modes of the terminal afterwards": restored ? "as before" : "other",
  };
}

/** Two shells that one query opens at once: the second gets the terminal when the first has ended. */
export async function workInTwoTerminals(command: readonly string[], options: Pick<StartOnTerminalOptions, "cwd" | "env">): Promise<Fields> {
  const terminal = await startOnTerminal(command, { ...options, columns: 99, rows: 33 });
  await terminal.shows(PROMPT);
  const first = await ask(terminal, 'echo "<"one">"');
  const from = terminal.seen().length;
  terminal.type("exit\r");
  await terminal.shows(/exit 0[\s\S]*[#$] (\u001b\[(6n|J))*$/, from);
  terminal.type('echo "<"at-once">"\r');
  // The official client loses what is typed first.
  await delay(1000);
  terminal.type("\u0003");
  await delay(1000);
  const second = await ask(terminal, 'echo "<"two">"', { answer: /two/ });
  const atOnce = terminal.seen().includes("<at-once>") ? "nothing is lost" : "what is typed first is lost";
  terminal.type("exit\r");
  const { code, restored } = await terminal.end();
  return {
    "two shells at once": `${first}, then ${second}`,
    "the first keys in the second shell": atOnce,
    "the client's exit code after two": `${code}, modes ${restored ? "as before" : "other"}`,
  };
}

interface Ask {
  /** Typed once the line says ready. */
  readonly reply?: string;
  /** What is between < and >. Default: anything. */
  readonly answer?: RegExp;
}

/** The text between < and > that a line of shell prints. */
async function ask(terminal: PseudoTerminal, line: string, { reply, answer = /[^<>"$\\]+/ }: Ask = {}): Promise<string> {
  const from = terminal.seen().length;
  terminal.type(`${line}\r`);
  if (reply !== undefined) {
    await terminal.shows(/ready/, from);
    terminal.type(reply);
  }
  const marked = new RegExp(`<(${answer.source})>[\\s\\S]*${PROMPT.source}`);
  return (marked.exec(await terminal.shows(marked, from))?.[1] ?? "").replace(/ +-$/, "");
}

async function interrupt(terminal: PseudoTerminal): Promise<string> {
  const from = terminal.seen().length;
  terminal.type('echo "<"asleep">"; sleep 1000\r');
  await terminal.shows(/<asleep>/, from);
  terminal.type("\u0003");
  await terminal.shows(PROMPT, from + 1);
  return ask(terminal, 'echo "<"status $?">"');
}

async function countLines(terminal: PseudoTerminal): Promise<string> {
  const from = terminal.seen().length;
  terminal.type(`seq 1 ${LINES}; echo "<"end">"\r`);
  const shown = await terminal.shows(/<end>[\s\S]*[#$] (\u001b\[(6n|J))*$/, from);
  const lines = shown.split("\n").slice(1, LINES + 1);
  const broken = lines.findIndex((line, index) => line !== `${index + 1}\r`);
  return broken < 0 ? "all, in order" : `not line ${broken + 1}: ${JSON.stringify(lines[broken])}`;
}

/** The last JSON object that was shown, on one line. */
function answerOf(seen: string): string {
  const start = seen.lastIndexOf("\n{");
  if (start < 0) return "no answer";
  const end = seen.lastIndexOf("}");
  try {
    return JSON.stringify(JSON.parse(seen.slice(start, end + 1)));
  } catch {
    return "no answer";
  }
}
