import { spawnProgram } from "@anyrunner/exec";

/** What a terminal's input must be for its output to be reached: the standard input of this process. */
export interface TerminalInput {
  readonly fd?: number | undefined;
}

/**
 * Makes the terminal show bytes as they are sent. Node's raw mode still puts a carriage return before each line feed, which moves the
 * cursor of full-screen programs in the container to the first column. Leaving raw mode takes it back. Where it can't be done, nothing happens; nor does the signal fail it.
 */
export async function stopOutputProcessing(input: TerminalInput, signal: AbortSignal): Promise<void> {
  if (input.fd !== 0 || process.platform === "win32") return;
  try {
    const program = await spawnProgram({ command: "stty", args: ["-opost"], stdio: ["inherit", "ignore", "ignore"], terminal: true, signal });
    await program.exited;
  } catch {
    // No stty here: lines look right, only full-screen programs may not.
  }
}
