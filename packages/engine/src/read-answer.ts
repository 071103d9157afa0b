import { RunnerError } from "@anyrunner/core";
import { readText } from "@anyrunner/protocol";

/** The longest answer to a query that is taken: what holds it as text, parsed and printed, must fit a program's memory. */
const LONGEST_ANSWER_BYTES = 256 * 1024 * 1024;

/** Whose answer is read, and how much of it. */
export interface ReadAnswerOptions {
  /** Who answers, for the message. */
  readonly from: string;
  /** Default: 256 MiB. */
  readonly limitBytes?: number | undefined;
}

/** The answer to a query as text. Fails with UNSUPPORTED, and reads no further, where it is longer than the limit; otherwise as its stream does. */
export function readAnswer(body: AsyncIterable<Uint8Array | string>, { from, limitBytes = LONGEST_ANSWER_BYTES }: ReadAnswerOptions): Promise<string> {
  const tooLong = () =>
    new RunnerError("UNSUPPORTED", `the answer of ${from} is longer than ${limitBytes} bytes`, {
      hint: "ask for less at once, or let the engine export a file",
      details: { limitBytes },
    });
  return readText(body, { limitBytes, tooLong });
}
