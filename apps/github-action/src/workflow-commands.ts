import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";

import { RunnerError } from "@anyrunner/core";

type Variables = Readonly<Record<string, string | undefined>>;

/** What a step tells the machine that runs it: lines that begin with `::`, and the files that the environment names. */
export interface Workflow {
  /** The environment of the step. */
  readonly env: Variables;
  /** Folds the lines that `work` prints under a title. */
  group<T>(title: string, work: () => Promise<T>): Promise<T>;
  /** A line in which nothing is taken for a command. */
  print(line: string): void;
  /** What is shown on the page of the run. */
  annotate(level: "error" | "warning", title: string, message: string): void;
  /** From now on the text is hidden in everything that is printed. */
  mask(secret: string): void;
  /** For the steps that follow. */
  exportVariable(name: string, value: string): void;
  addToPath(folder: string): void;
  setOutput(name: string, value: string): void;
  /** For the post step, which has it as `STATE_name`. */
  saveState(name: string, value: string): void;
  /** Markdown on the page of the run. */
  summarize(markdown: string): void;
}

export interface WorkflowOptions {
  readonly env: Variables;
  /** Gets a line at a time. */
  readonly write: (line: string) => void;
}

/** `write` gets lines for standard output, where the machine looks for commands. */
export function createWorkflow({ env, write }: WorkflowOptions): Workflow {
  const command = (name: string, properties: string, data: string) => write(`::${name}${properties}::${escapeData(data)}`);
  const append = (variable: string, text: string) => appendFileSync(fileOf(env, variable), text);
  return {
    env,
    async group(title, work) {
      command("group", "", title);
      try {
        return await work();
      } finally {
        command("endgroup", "", "");
      }
    },
    print(line) {
      if (!/^\s*(::|##\[)/.test(line)) return write(line);
      const token = randomUUID();
      write(`::stop-commands::${token}`);
      write(line);
      write(`::${token}::`);
    },
    annotate: (level, title, message) => command(level, ` title=${escapeProperty(title)}`, message),
    mask: (secret) => {
      for (const line of secret.split(/\r?\n/)) if (line.trim() !== "") command("add-mask", "", line);
    },
    exportVariable: (name, value) => append("GITHUB_ENV", assignment(name, value)),
    addToPath: (folder) => append("GITHUB_PATH", `${folder}\n`),
    setOutput: (name, value) => append("GITHUB_OUTPUT", assignment(name, value)),
    saveState: (name, value) => append("GITHUB_STATE", assignment(name, value)),
    summarize: (markdown) => append("GITHUB_STEP_SUMMARY", `${markdown}\n`),
  };
}

/** A value may have lines of any content; its end is a line that it can't contain. */
function assignment(name: string, value: string): string {
  const end = `anyrunner-${randomUUID()}`;
  return `${name}<<${end}\n${value}\n${end}\n`;
}

function fileOf(env: Variables, variable: string): string {
  const file = env[variable];
  if (file) return file;
  throw new RunnerError("NOT_AVAILABLE", `the variable ${variable} is not set`, {
    hint: "this is an action for GitHub's runner: use it as a step of a workflow",
  });
}

function escapeData(text: string): string {
  return text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A");
}

function escapeProperty(text: string): string {
  return escapeData(text).replaceAll(":", "%3A").replaceAll(",", "%2C");
}
