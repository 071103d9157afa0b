import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { openRunner } from "@anyrunner/core";
import { createDefaultRegistry } from "@anyrunner/drivers";
import { graphqlErrorText, openSession, type AttachableSettings, type PromptQuestion } from "@anyrunner/engine";

/** What official-client.go does, with a session of ours and the same arguments and variables. */
const { env } = process;
const cwd = process.cwd();
const runner = await openRunner(env["_EXPERIMENTAL_DAGGER_RUNNER_HOST"] ?? "", { registry: createDefaultRegistry({ cwd, env }) });
const session = await openSession(runner, { env, cwd, metadata: { interactive: Boolean(env["INTERACTIVE"]) }, attachables: { ...prompt(), ...pipe() } });
let first = "";
for (const file of process.argv.slice(2)) {
  const { data, errors = [] } = await session.query({ query: (await readFile(file, "utf8")).replaceAll("ID", first) });
  if (errors.length > 0) {
    const [error = { message: "" }] = errors;
    console.error(`error: make request: input: ${(error.path ?? []).join(".")} ${graphqlErrorText([error])}`);
    break;
  }
  first = firstText(data);
  console.error(`\n${JSON.stringify(data)}`);
}
await session.close();
process.stdin.destroy();

function prompt(): Pick<AttachableSettings, "prompt"> {
  if (env["ANSWERS"] === undefined) return {};
  const answers = env["ANSWERS"].split("|");
  const answer = ({ title, prompt }: PromptQuestion<unknown>) => {
    console.error(`asked ${JSON.stringify([title, prompt])}`);
    return (answers.length > 1 ? answers.shift() : answers[0]) ?? "";
  };
  const answersFile = join(env["XDG_CONFIG_HOME"] ?? "", "dagger/prompt-confirmations.json");
  return { prompt: { answersFile, confirm: async (question) => answer(question) === "yes", read: async (question) => answer(question) } };
}

function pipe(): Pick<AttachableSettings, "pipe"> {
  return env["PIPE"] ? { pipe: { input: process.stdin, output: process.stdout } } : {};
}

function firstText(value: unknown): string {
  if (typeof value === "string") return value;
  return (
    Object.values((value ?? {}) as Readonly<Record<string, unknown>>)
      .map(firstText)
      .find((text) => text !== "") ?? ""
  );
}
