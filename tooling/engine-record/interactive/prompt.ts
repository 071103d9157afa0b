import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { serveRepository } from "../git-server.ts";
import { GIT_PASSWORD, GIT_USER } from "../host-fixtures.ts";
import { runClient, type Client } from "./run-client.ts";
import { startModelServer } from "./model-server.ts";
import type { Fields } from "./terminal.ts";

export interface PromptPlaces {
  readonly folder: string;
  /** This machine's address as the engine reaches it. */
  readonly host: string;
}

const MODULE = `type Asker {
  pub ask(run: String!): String! { llm(model: "gpt-4.1").withPrompt(prompt: "say it, " + run).loop.lastReply }
}
`;

/** What the git of the host is asked for. */
const CREDENTIALS = {
  GIT_CONFIG_COUNT: "1",
  GIT_CONFIG_KEY_0: "credential.helper",
  GIT_CONFIG_VALUE_0: `!f() { echo username=${GIT_USER}; echo password=${GIT_PASSWORD}; }; f`,
};

/** Whether a module from elsewhere may use a model, asked of the user: denied, allowed, allowed for good, and with nobody there to ask. */
export async function answerYesOrNo(clients: readonly Client[], { folder, host }: PromptPlaces): Promise<readonly Fields[]> {
  const repository = join(folder, "asker");
  await makeRepository(repository);
  // An engine leaves the port of a module's address out.
  await serveRepository(repository, 80);
  const model = await startModelServer();
  const results: Fields[] = [];
  for (const client of clients) {
    const config = await mkdtemp(join(folder, "config-"));
    const ask = async (answers: string | undefined, more: Readonly<Record<string, string>> = {}) => {
      // Never from the engine's cache.
      const run = randomUUID();
      const documents = await write(folder, [
        `{ moduleSource(refString: "http://${host}/asker.git") { asModule { serve } } }`,
        `{ asker { ask(run: "${run}") } }`,
      ]);
      const env = { ...modelEnv(host, model.port), ...CREDENTIALS, XDG_CONFIG_HOME: config, ...(answers !== undefined && { ANSWERS: answers }), ...more };
      return `${await runClient(client, documents, env)}; the model hears ${JSON.stringify(model.heard())}`.replaceAll(run, "RUN");
    };
    const remembered = async () => {
      const text = await readFile(join(config, "dagger/prompt-confirmations.json"), "utf8").catch(() => "{}");
      return JSON.stringify(Object.keys((JSON.parse(text) as { readonly responses?: object | null }).responses ?? {}));
    };
    results.push({
      "nobody to ask": await ask(undefined),
      "nobody to ask, allowed by DAGGER_ALLOW_LLM": await ask(undefined, { DAGGER_ALLOW_LLM: `http://${host}/asker.git` }),
      "answered no": await ask("no"),
      "remembered after no": await remembered(),
      "answered yes": await ask("yes"),
      "remembered after yes": await remembered(),
      "not asked again": await ask("no"),
    });
  }
  model.close();
  return results;
}

/** A model that doesn't get ahead, and the user's words for it. */
export async function answerInWords(clients: readonly Client[], { folder, host }: PromptPlaces): Promise<readonly Fields[]> {
  const model = await startModelServer();
  const documents = await write(folder, [
    `{ env { withStringOutput(name: "answer", description: "the answer") { id } } }`,
    `{ llm(model: "gpt-4.1") { withEnv(env: "ID") { withPrompt(prompt: "say it") { lastReply } } } }`,
  ]);
  const results: Fields[] = [];
  for (const client of clients) {
    const ask = async (env: Readonly<Record<string, string>>) => {
      const said = await runClient(client, documents, { ...modelEnv(host, model.port), ...env });
      return `${said}; the model hears ${JSON.stringify(model.heard())}`;
    };
    results.push({
      "words, then none": await ask({ INTERACTIVE: "1", ANSWERS: "try 42 – or not|" }),
      "nobody to ask for words": await ask({ INTERACTIVE: "1" }),
    });
  }
  model.close();
  return results;
}

function modelEnv(host: string, port: number): Readonly<Record<string, string>> {
  return { OPENAI_BASE_URL: `http://${host}:${port}/v1/`, OPENAI_API_KEY: "none", OPENAI_MODEL: "gpt-4.1", OPENAI_DISABLE_STREAMING: "true" };
}

async function write(folder: string, documents: readonly string[]): Promise<readonly string[]> {
  const files = documents.map((_, index) => join(folder, `document-${index}.graphql`));
  await Promise.all(documents.map((text, index) => writeFile(files[index] ?? "", text)));
  return files;
}

/** A bare repository, as the address of a module has to name one that ends in .git. */
async function makeRepository(path: string): Promise<void> {
  const git = (cwd: string, ...args: string[]) => promisify(execFile)("git", ["-C", cwd, "-c", "user.name=a", "-c", "user.email=a@b", ...args]);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, "dagger.json"), JSON.stringify({ name: "asker", sdk: { source: "dang" }, engineVersion: "v0.21.4" }));
  await writeFile(join(path, "main.dang"), MODULE);
  await git(path, "init", "-q", "-b", "main");
  await git(path, "add", ".");
  await git(path, "commit", "-q", "-m", "one");
  await rm(`${path}.git`, { recursive: true, force: true });
  await git(path, "clone", "-q", "--bare", path, `${path}.git`);
}
