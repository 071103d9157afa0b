import { RunnerError } from "@anyrunner/core";
import type { CommandContext } from "../command-context.ts";

/** Serves the embedded runner until a signal comes. */
export function serveCommand(_context: CommandContext, _options: { readonly listen: string }): Promise<number> {
  return Promise.reject(new RunnerError("UNSUPPORTED", "not wired"));
}

/** Builds the image that runs the embedded runner. */
export function buildImageCommand(_context: CommandContext, _options: { readonly tag?: string | undefined }): Promise<number> {
  return Promise.reject(new RunnerError("UNSUPPORTED", "not wired"));
}
