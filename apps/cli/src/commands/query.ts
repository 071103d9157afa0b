import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { text } from "node:stream/consumers";

import { chooseClientRunner, querySurroundingSession } from "@anyrunner/client";
import { RunnerError } from "@anyrunner/core";
import type { GraphqlResponse } from "@anyrunner/engine";

import type { CommandContext } from "../command-context.ts";
import { EXIT } from "../exit-codes.ts";
import { interruptible } from "../interrupts.ts";
import { openCliSession } from "../open-cli-session.ts";

export interface QueryCommandOptions {
  readonly runner?: string | undefined;
  /** The operation to execute when the document holds several. */
  readonly operationName?: string | undefined;
  /** File with the document. Default: standard input. */
  readonly doc?: string | undefined;
  /** `name=value`; values are strings. */
  readonly variables: readonly string[];
  /** An object in JSON; replaces `variables`. */
  readonly variablesJson?: string | undefined;
}

/** Sends one GraphQL document and prints the data as JSON, indented by four. Fails with QUERY_FAILED when the answer has errors. */
export function queryCommand(context: CommandContext, options: QueryCommandOptions): Promise<number> {
  return interruptible(async (signal) => {
    const variables = readVariables(options);
    const query = await readDocument(context, options);
    const request = { query, variables, operationName: options.operationName, signal };
    const runner = await chooseClientRunner(context, { runner: options.runner, signal });
    const { chosen } = runner;
    if (chosen.kind === "session") return await printAnswer(context, await querySurroundingSession(chosen, request));
    const session = await openCliSession(context, {
      runner: { ...runner, chosen },
      name: "anyrunner query",
      metadata: { singleQuery: true },
      signal,
    });
    try {
      return await printAnswer(context, await session.query(request));
    } finally {
      await session.close();
    }
  });
}

async function printAnswer(context: CommandContext, answer: GraphqlResponse): Promise<number> {
  if (answer.errors !== undefined && answer.errors.length > 0) {
    const { queryFailed } = await import("@anyrunner/engine");
    throw queryFailed(answer.errors);
  }
  context.print(JSON.stringify(answer.data, undefined, 4));
  return EXIT.success;
}

async function readDocument({ cwd }: CommandContext, { doc }: QueryCommandOptions): Promise<string> {
  if (doc !== undefined && doc !== "-") {
    try {
      return await readFile(resolve(cwd, doc), "utf8");
    } catch (error) {
      throw new RunnerError("NOT_FOUND", `the document ${doc} can't be read (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, {
        hint: "check the path behind --doc",
      });
    }
  }
  if (process.stdin.isTTY) throw new RunnerError("USAGE", "there is no query", { hint: "pipe one in, or name a file with --doc" });
  const query = await text(process.stdin);
  if (query.trim() === "") throw new RunnerError("USAGE", "the query on standard input is empty", { hint: "pipe one in, or name a file with --doc" });
  return query;
}

function readVariables({ variables, variablesJson }: QueryCommandOptions): Readonly<Record<string, unknown>> | undefined {
  if (variablesJson !== undefined) {
    const value = parseJson(variablesJson);
    if (typeof value !== "object" || value === null || Array.isArray(value))
      throw new RunnerError("USAGE", "--var-json holds no JSON object", { hint: `write for example --var-json '{"name": 1}'` });
    return value as Readonly<Record<string, unknown>>;
  }
  if (variables.length === 0) return undefined;
  return Object.fromEntries(
    variables.map((variable) => {
      const equals = variable.indexOf("=");
      if (equals < 1) throw new RunnerError("USAGE", `--var "${variable}" is no name=value`, { hint: "write for example --var name=value" });
      return [variable.slice(0, equals), variable.slice(equals + 1)];
    }),
  );
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
