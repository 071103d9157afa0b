import { spawn } from "node:child_process";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";

import { stringify } from "yaml";

import { run } from "../run.ts";
import { REPOSITORY } from "../workspace-packages.ts";
import type { Scenario } from "./scenarios.ts";

export interface JobOptions {
  readonly scenario: Scenario;
  /** An empty folder, which becomes the project. */
  readonly project: string;
  /** Variables of all steps. */
  readonly variables: Readonly<Record<string, string>>;
  /** The whole environment of the system. */
  readonly env: NodeJS.ProcessEnv;
}

export interface JobOutcome {
  readonly exitCode: number | null;
  readonly log: string;
}

/** Runs the scenario as a job of GitHub's, with the built action, by `act` on this machine. */
export function runOnGithub(act: string, { scenario, project, variables, env }: JobOptions): Promise<JobOutcome> {
  const action = path.join(REPOSITORY, "apps", "github-action");
  for (const name of ["action.yml", "package.json", "dist"]) cpSync(path.join(action, name), path.join(project, "action", name), { recursive: true });
  const steps = [{ uses: "actions/checkout@v4" }, { uses: "./action", with: scenario.inputs }, ...scenario.steps.map((line) => ({ run: line }))];
  const folder = path.join(project, ".github", "workflows");
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, "ci.yml"), stringify({ on: "push", jobs: { test: { "runs-on": "ubuntu-latest", env: variables, steps } } }));
  commit(project);
  return execute(act, ["-P", "ubuntu-latest=-self-hosted", "push"], { cwd: project, env });
}

/** Runs the scenario as a job of GitLab's, with the component, by `gitlab-ci-local` in a shell of this machine. */
export function runOnGitlab(program: string, { scenario, project, variables, env }: JobOptions): Promise<JobOutcome> {
  cpSync(path.join(REPOSITORY, "apps", "gitlab-component", "templates"), path.join(project, "templates"), { recursive: true });
  const { version = "0.0.0", ...inputs } = scenario.inputs;
  const pipeline = {
    include: [{ local: "templates/anyrunner.yml", inputs: { version, ...inputs } }],
    test: { extends: ".anyrunner", variables, script: scenario.steps },
  };
  writeFileSync(path.join(project, ".gitlab-ci.yml"), stringify(pipeline));
  commit(project);
  return execute(program, ["--force-shell-executor"], { cwd: project, env });
}

function commit(project: string): void {
  const git = (...args: readonly string[]) => run("git", ["-c", "user.name=anyrunner", "-c", "user.email=record@anyrunner.invalid", ...args], { cwd: project });
  git("init", "-q");
  git("remote", "add", "origin", "git@host:group/name.git");
  git("add", "-A");
  git("commit", "-qm", "A job");
}

function execute(command: string, args: readonly string[], options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv }): Promise<JobOutcome> {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  let log = "";
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk: string) => (log += chunk));
  return new Promise((resolve, reject) => child.once("error", reject).once("close", (exitCode) => resolve({ exitCode, log })));
}
