import { createInterface } from "node:readline";
import { Writable } from "node:stream";
import type { ReadStream } from "node:tty";

/** The first line of `input` that is not empty, without the space around it; a terminal doesn't show what is typed. `undefined`: there is none. */
export async function readHiddenLine(input: ReadStream): Promise<string | undefined> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: input.isTTY === true });
  // Ctrl-C means the command, not the line.
  lines.once("SIGINT", () => {
    lines.close();
    process.kill(process.pid, "SIGINT");
  });
  try {
    for await (const line of lines) if (line.trim() !== "") return line.trim();
    return undefined;
  } finally {
    lines.close();
    input.destroy();
  }
}
