import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { makeBusyboxRootfs } from "@anyrunner/testkit";

import { speakThroughPipe } from "./pipe.ts";
import { answerInWords, answerYesOrNo } from "./prompt.ts";
import { runClient, type Client } from "./run-client.ts";
import { workInTerminal, workInTwoTerminals, type Fields } from "./terminal.ts";

/**
 * Terminals, prompts and pipes on one engine, with the official client and with ours, field by field. Standard output is the
 * record, in Markdown; exit code 1 when a field differs.
 *
 * Usage: node tooling/engine-record/interactive/record.ts ENGINE_HOST --cli OFFICIAL_CLI [--client OFFICIAL_CLIENT] [--host ADDRESS]
 *   [--anyrunner PROGRAM] [--tui] [--dang]
 * ENGINE_HOST is what both clients take for the engine. OFFICIAL_CLIENT is built from official-client.go: prompts and pipes need it,
 * as the official CLI asks only in its interactive view. --tui says that the CLI has that view, so that its terminal is taken.
 * --dang says that the engine interprets modules in Dang, and that port 80 of this machine can be used: one asks from a repository.
 * ADDRESS is this machine's as the engine reaches it. PROGRAM is ours; default: the sources.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    cli: { type: "string", default: "" },
    client: { type: "string", default: "" },
    host: { type: "string", default: "" },
    anyrunner: { type: "string", default: resolve(import.meta.dirname, "../../../apps/cli/src/bin.ts") },
    tui: { type: "boolean", default: false },
    dang: { type: "boolean", default: false },
  },
});
const [engine = ""] = positionals;
if (engine === "")
  throw new Error("usage: record.ts ENGINE_HOST --cli OFFICIAL_CLI [--client OFFICIAL_CLIENT] [--host ADDRESS] [--anyrunner PROGRAM] [--tui] [--dang]");
const BUILT = `host { directory(path: ".") { dockerBuild`;

const cwd = await realpath(await mkdtemp(join(tmpdir(), "interactive-record-")));
const env = { _EXPERIMENTAL_DAGGER_RUNNER_HOST: engine, DAGGER_NO_NAG: "1", DO_NOT_TRACK: "1" };
const clients: readonly Client[] = [
  { command: [resolve(values.client)], env, cwd },
  { command: [process.execPath, join(import.meta.dirname, "own-client.ts")], env, cwd },
];
try {
  await makeBusyboxRootfs(join(cwd, "rootfs"));
  await writeFile(join(cwd, "Dockerfile"), "FROM scratch\nCOPY rootfs /\n");
  console.log("| attachable | what | official and ours | |\n| --- | --- | --- | --- |");
  await recordTerminal();
  if (values.client !== "") await recordPromptsAndPipe();
} finally {
  await rm(cwd, { recursive: true, force: true });
}

async function recordTerminal(): Promise<void> {
  await writeFile(join(cwd, "one.graphql"), `{ ${BUILT} { terminal(cmd: ["sh"]) { rootfs { entries } } } } } }`);
  const each = `terminal(cmd: ["sh"]) { sync }`;
  await writeFile(join(cwd, "two.graphql"), `{ one: ${BUILT} { ${each} } } } two: ${BUILT} { withEnvVariable(name: "A", value: "B") { ${each} } } } } }`);
  const official = (document: string) => (values.tui ? [resolve(values.cli), "query", "--doc", document] : [resolve(values.client), document]);
  const own = (document: string) => [process.execPath, values.anyrunner, "query", "--doc", document];
  for (const [document, work] of [
    ["one.graphql", workInTerminal],
    ["two.graphql", workInTwoTerminals],
  ] as const) {
    compare("terminal", [await work(official(document), { cwd, env }), await work(own(document), { cwd, env })]);
  }
}

async function recordPromptsAndPipe(): Promise<void> {
  const places = { folder: cwd, host: values.host };
  const fields = await runClient(clients[1] as Client, [await document("fields", `{ __type(name: "LLM") { fields { name } } }`)], {});
  const has = (name: string) => fields.includes(`"${name}"`);
  const pipe = has("withStaticTools") ? "{ llm { withStaticTools { __mcp } } }" : "{ llm { __mcp } }";
  const spoken: Fields[] = [];
  for (const client of clients) spoken.push(await speakThroughPipe(client, { folder: cwd, document: pipe }));
  compare("pipe", spoken);
  if (values.dang) compare("prompt", await answerYesOrNo(clients, places));
  if (has("withEnv")) compare("prompt", await answerInWords(clients, places));
}

async function document(name: string, text: string): Promise<string> {
  const file = join(cwd, `${name}.graphql`);
  await writeFile(file, text);
  return file;
}

function compare(what: string, [theirs = {}, mine = {}]: readonly Fields[]): void {
  for (const name of new Set([...Object.keys(theirs), ...Object.keys(mine)])) {
    const same = theirs[name] === mine[name];
    if (!same) process.exitCode = 1;
    console.log(`| ${what} | ${name} | ${same ? "same" : "**different**"} | ${shown(mine[name])}${same ? "" : ` against ${shown(theirs[name])}`} |`);
  }
}

function shown(text = "nothing"): string {
  const line = text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
  return `\`${line.length > 200 ? `${line.slice(0, 200)}…` : line}\``;
}
