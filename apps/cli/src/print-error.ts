import { inspect, styleText } from "node:util";

import { RunnerError } from "@anyrunner/core";

const REPOSITORY = "https://github.com/anyrunner/anyrunner";

export interface PrintErrorOptions {
  /** One line of JSON instead of text. */
  readonly json: boolean;
  readonly version: string;
  readonly stderr: NodeJS.WritableStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The one place where an error meets the user. */
export function printError(value: unknown, { json, version, stderr, env }: PrintErrorOptions): void {
  const expected = RunnerError.is(value) && value.code !== "INTERNAL";
  const error = RunnerError.is(value) ? value : new RunnerError("INTERNAL", value instanceof Error ? value.message : String(value), { cause: value });
  if (json) {
    // Who writes a driver needs to know where it fails; of other errors a stack is of no use to a program.
    const stack = !expected || error.code === "DRIVER_INVALID" || env["ANYRUNNER_DEBUG"] ? { stack: stackOf(value) } : {};
    stderr.write(`${JSON.stringify({ error: { ...error.toJSON(), docs: docsOf(error), ...stack } })}\n`);
    return;
  }
  const label = (text: string, format: "red" | "cyan") => styleText(format, text, { stream: stderr, validateStream: true });
  stderr.write(`${label("error:", "red")} ${error.message}\n`);
  if (error.hint !== undefined) stderr.write(`${label("hint:", "cyan")} ${error.hint.replaceAll("\n", "\n      ")}\n`);
  if (!expected) {
    stderr.write(`${stackOf(value)}\n${label("report:", "cyan")} ${issueLink(error, version)}\n`);
    return;
  }
  if (error.code !== "ABORTED") stderr.write(`${label("docs:", "cyan")} ${docsOf(error)}\n`);
  if (env["ANYRUNNER_DEBUG"]) stderr.write(`${stackOf(value)}\n`);
}

function docsOf(error: RunnerError): string {
  return `${REPOSITORY}/blob/main/docs/errors.md#${error.code.toLowerCase()}`;
}

function stackOf(value: unknown): string {
  const lines: string[] = [];
  for (let error = value, depth = 0; error !== undefined && depth < 5; depth++) {
    lines.push(`${depth === 0 ? "" : "caused by: "}${error instanceof Error ? (error.stack ?? error.message) : inspect(error)}`);
    error = error instanceof Error ? error.cause : undefined;
  }
  return lines.join("\n");
}

function issueLink(error: RunnerError, version: string): string {
  const body = `anyrunner ${version}, node ${process.versions.node}, ${process.platform} ${process.arch}\n\n${error.message}\n`;
  return `${REPOSITORY}/issues/new?title=${encodeURIComponent(error.message.slice(0, 80))}&body=${encodeURIComponent(body)}`;
}
