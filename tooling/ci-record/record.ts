/**
 * Runs jobs with the GitHub action and the GitLab component, as they are here, on real engines, and prints in Markdown what came of them,
 * for docs/engines/ci-apps.md:
 *
 *     ./scripts/pnpm run build
 *     node tooling/ci-record/record.ts ACT GITLAB_CI_LOCAL OFFICIAL_CLI ENGINE_URL ENGINE_SOCKET ENGINE_IMAGE
 *
 * The packages come from a registry on this machine. ENGINE_URL and ENGINE_SOCKET lead to an engine that runs, ENGINE_IMAGE is one that
 * Docker has: a container of it is made and removed, with its volume.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";

import { packPackages } from "../pack-packages.ts";
import { publishPackages } from "../publish-packages.ts";
import { startRegistry } from "../registry/registry-server.ts";
import { run, tryToRun } from "../run.ts";
import { REPOSITORY } from "../workspace-packages.ts";
import { runOnGithub, runOnGitlab, type JobOptions, type JobOutcome } from "./ci-systems.ts";
import { publishHopDriver } from "./hop-driver.ts";
import { scenariosOf, type Scenario } from "./scenarios.ts";

const [act = "", gitlabCiLocal = "", officialCli = "", engine = "", socket = "", image = ""] = process.argv.slice(2);
if (image === "") throw new Error("usage: record.ts ACT GITLAB_CI_LOCAL OFFICIAL_CLI ENGINE_URL ENGINE_SOCKET ENGINE_IMAGE");
const SYSTEMS: Readonly<Record<string, (job: JobOptions) => Promise<JobOutcome>>> = {
  "GitHub action": (job) => runOnGithub(act, job),
  "GitLab component": (job) => runOnGitlab(gitlabCiLocal, job),
};

const root = mkdtempSync(path.join(tmpdir(), "ci-record-"));
const registry = await startRegistry(path.join(root, "registry"));
try {
  const npmEnv = { ...process.env, ...registry.env };
  publishPackages(packPackages(path.join(root, "packs")), { env: npmEnv });
  publishHopDriver(root, npmEnv);
  for (const [system, runJob] of Object.entries(SYSTEMS)) {
    console.log(`\n## ${system}\n\n| job | ends | what its steps said | what is left |\n| --- | --- | --- | --- |`);
    for (const scenario of scenariosOf({ engine, socket, image })) console.log(await rowOf(scenario, system, runJob));
  }
} finally {
  await registry[Symbol.asyncDispose]();
  rmSync(root, { recursive: true, force: true });
}

async function rowOf(scenario: Scenario, system: string, runJob: (job: JobOptions) => Promise<JobOutcome>): Promise<string> {
  const place = mkdtempSync(path.join(root, "job-"));
  const [project, home, temporary, results] = ["project", "home", "tmp", "results"].map((name) => path.join(place, name)) as [string, string, string, string];
  for (const folder of [project, home, temporary]) mkdirSync(folder);
  writeFileSync(results, "");
  const { XDG_RUNTIME_DIR: _, ...own } = process.env;
  const env = { ...own, ...registry.env, HOME: home, TMPDIR: temporary, DAGGER_NO_NAG: "1", DO_NOT_TRACK: "1" };
  const variables = {
    ...registry.env,
    TMPDIR: temporary,
    HOME: home,
    RESULTS: results,
    OFFICIAL_CLI: officialCli,
    HELLO: path.join(REPOSITORY, "examples", "hello"),
    DAGGER_NO_NAG: "1",
  };
  const { exitCode, log } = await runJob({ scenario, project, variables, env });
  const fits = (exitCode === 0) === scenario.succeeds;
  if (!fits) console.error(`${system}, ${scenario.title}: ended with ${exitCode}\n${log}`);
  const said = [...readFileSync(results, "utf8").split("\n"), ...(exitCode === 0 ? [] : errorsOf(log))].filter((line) => line.trim() !== "");
  const left = leftBy(scenario, { home, temporary });
  return `| ${[scenario.title, `${exitCode === 0 ? "well" : "as a failure"}${fits ? "" : " (**wrong**)"}`, shown(said), shown(left)].join(" | ")} |`;
}

/** The annotation of the action, or what the command says in a shell. */
function errorsOf(log: string): readonly string[] {
  return log
    .split("\n")
    .filter((line) => /::error title=|> (error|hint): /.test(line))
    .map((line) => line.replace(/^.*?(::error|error: |hint: )/, "$1"));
}

function leftBy({ container }: Scenario, { home, temporary }: { readonly home: string; readonly temporary: string }): readonly string[] {
  const bridges = path.join(home, ".local/state/anyrunner/bridges.json");
  const entries = existsSync(bridges) ? (JSON.parse(readFileSync(bridges, "utf8")) as { readonly bridges: readonly unknown[] }).bridges : [];
  const folders = readdirSync(temporary).filter((name) => name.startsWith("anyrunner-"));
  const left = [...entries.map(() => "a bridge"), ...folders];
  if (container === undefined) return left;
  if (tryToRun("docker", ["container", "inspect", container]).exitCode === 0) left.push(`the container ${container}`);
  const volumes = run("docker", ["volume", "ls", "--quiet", "--filter", `name=${container}`])
    .split("\n")
    .filter((name) => name !== "");
  tryToRun("docker", ["rm", "--force", container]);
  for (const volume of volumes) run("docker", ["volume", "rm", volume]);
  return [...left, `${volumes.length} volume with the cache`];
}

function shown(lines: readonly string[]): string {
  return lines.length === 0 ? "nothing" : lines.map((line) => `\`\` ${line.trim().replaceAll("|", "\\|").replaceAll(root, "…")} \`\``).join("<br>");
}
