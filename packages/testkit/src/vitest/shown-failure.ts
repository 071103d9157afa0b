import { dirname } from "node:path";

import { RunnerError } from "@anyrunner/core";

/** Folder of this package's code, built or not. */
const TESTKIT = dirname(import.meta.dirname);

/**
 * A failure as vitest should show it: with its hint, and with the frames of the driver but none of the suite that called it. So failures of many
 * cases at one place in the driver are one error to vitest, which it shows once. What the suite itself found keeps its frames.
 */
export function shownFailure(failure: unknown): unknown {
  if (!(failure instanceof Error)) return failure;
  const { message, stack = "" } = failure;
  const frames = framesOf(stack, message);
  const first = frames.findIndex((frame) => frame.includes(TESTKIT));
  const kept = first > 0 ? frames.slice(0, first) : frames;
  const text = RunnerError.is(failure) && failure.hint !== undefined ? `${message}\n${failure.hint}` : message;
  if (text === message && kept.length === frames.length) return failure;
  const shown = new Error(text, { cause: failure.cause });
  shown.name = failure.name;
  shown.stack = [`${failure.name}: ${text}`, ...kept].join("\n");
  return shown;
}

function framesOf(stack: string, message: string): readonly string[] {
  const at = stack.indexOf(message);
  return (at < 0 ? stack : stack.slice(at + message.length)).split("\n").filter((line) => /^\s+at /.test(line));
}
