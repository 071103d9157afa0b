import { execFile, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";

import { makeBusyboxRootfs, makeRecordedHost } from "@anyrunner/testkit";

import { makeHostFixtures } from "./host-fixtures.ts";

/**
 * Runs every scenario twice on one engine, with the official CLI's session and with ours, and writes a record of what both
 * gave.
 *
 * Usage: node tooling/engine-record/record.ts RUNNER_URL OFFICIAL_CLI [REGISTRY] [--sdk FOLDER] [--login USER:PASSWORD@HOST:PORT]
 *   [--host ADDRESS] [--only NAME,NAME] [--anyrunner PROGRAM]
 * REGISTRY is one that the engine reaches by plain HTTP, as host:port. FOLDER is where the SDK of the engine's version is
 * installed (`npm install @dagger.io/dagger@VERSION`); the CLI has to be of that version, too. --login names a
 * registry that asks who it is, --host the address at which the engine reaches this machine: without them their scenarios
 * are left out. Needs git, perl, OpenSSH and Docker. Standard output is the record, in Markdown.
 */
const NAMES = [
  "version",
  "upload",
  "uploadFilter",
  "uploadGitignore",
  "uploadDigest",
  "uploadOdd",
  "hostFile",
  "hostMissing",
  "exportDir",
  "exportFile",
  "exportTarball",
  "secretMissing",
  "secretCommand",
] as const;
const EXEC_NAMES = [
  "exportOdd",
  "secretEnv",
  "setSecret",
  "exec",
  "execFail",
  "slow",
  "hostService",
  "hostServiceUpload",
  "hostServiceRefused",
  "tunnel",
  "tunnelTaken",
  "hostSocket",
  "agentSocket",
] as const;

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    sdk: { type: "string", default: "" },
    only: { type: "string" },
    anyrunner: { type: "string", default: join(import.meta.dirname, "../../apps/cli/dist/bin.js") },
    login: { type: "string", default: "" },
    host: { type: "string", default: "" },
  },
});
const [url = "", official = "", registry = ""] = positionals;
if (url === "" || official === "")
  throw new Error("usage: record.ts RUNNER_URL OFFICIAL_CLI [REGISTRY] [--sdk FOLDER] [--login USER:PASSWORD@HOST:PORT] [--host ADDRESS] [--only NAME,NAME]");
const sdk = values.sdk === "" ? "" : resolve(values.sdk);
const wanted = values.only?.split(",");
const ours = values.anyrunner;

let fixtures: Awaited<ReturnType<typeof makeHostFixtures>> | undefined;
const folder = await realpath(await mkdtemp(join(tmpdir(), "engine-record-")));
try {
  const demo = join(folder, "demo");
  await makeRecordedHost("uploadGitignore", demo);
  await makeBusyboxRootfs(join(demo, "rootfs"));
  fixtures = await makeHostFixtures(demo, values.login);
  const rows: string[] = [];
  let different = 0;
  let absent = 0;
  const names = [
    ...NAMES,
    ...EXEC_NAMES,
    ...(registry === "" ? [] : ["pull", "pushPull"]),
    ...(values.login === "" ? [] : ["registryLogin"]),
    ...(values.host === "" ? [] : ["gitPrivate"]),
    "imageExport",
    "imageImport",
    "imageMissing",
  ];
  for (const name of names.filter((one) => wanted?.includes(one) ?? true)) {
    const [theirs, mine] = [await run(official, name, demo), await run(ours, name, demo)];
    if (mine.startsWith('{"absent":')) {
      absent++;
      continue;
    }
    if (theirs !== mine) different++;
    rows.push(`| ${name} | ${theirs === mine ? "same" : "**different**"} | ${shown(mine)}${theirs === mine ? "" : ` against ${shown(theirs)}`} |`);
  }
  console.log(
    `Date ${new Date().toISOString().slice(0, 10)} · official CLI ${await versionOf(official)} · anyrunner ${await versionOf(ours)} · SDK ${await sdkVersion()} · engine reached by ${url.split("://")[0]}://\n`,
  );
  console.log(
    `| scenario | answers | what anyrunner gave |\n| --- | --- | --- |\n${rows.join("\n")}\n\n${rows.length - different} of ${rows.length} the same.${absent === 0 ? "" : ` ${absent} scenarios need a call that this SDK doesn't have.`}`,
  );
  process.exitCode = different === 0 ? 0 : 1;
} finally {
  fixtures?.close();
  await promisify(execFile)("docker", ["image", "rm", "anyrunner-test-record:1"]).catch(() => {});
  await rm(folder, { recursive: true, force: true });
}

async function run(cli: string, name: string, demo: string): Promise<string> {
  const out = join(folder, "out");
  await rm(out, { recursive: true, force: true });
  await mkdir(out);
  await writeFile(join(demo, "src/.touched"), name);
  const { stdout } = await capture(
    process.execPath,
    [join(import.meta.dirname, "scenario.ts"), name, demo, out, registry, sdk, values.login.split("@")[1] ?? "", values.host],
    {
      ...fixtures?.env,
      _EXPERIMENTAL_DAGGER_CLI_BIN: cli,
      _EXPERIMENTAL_DAGGER_RUNNER_HOST: url,
      // Ours offers the Docker of the host by itself.
      _EXPERIMENTAL_DAGGER_RUNNER_IMAGESTORE: "docker-image",
      DO_NOT_TRACK: "1",
      DAGGER_NO_NAG: "1",
    },
  );
  return stdout.trim().replaceAll(folder, "…");
}

async function sdkVersion(): Promise<string> {
  const folder = sdk === "" ? join(import.meta.dirname, "..") : sdk;
  return (JSON.parse(await readFile(join(folder, "node_modules/@dagger.io/dagger/package.json"), "utf8")) as { readonly version: string }).version;
}

async function versionOf(cli: string): Promise<string> {
  return (await capture(cli, ["version"], {})).stdout.trim().split("\n")[0] ?? "";
}

function capture(command: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<{ readonly stdout: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => (stdout += chunk));
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => (stderr += chunk));
    child.once("error", reject);
    child.once("close", (code) =>
      code === 0 ? resolve({ stdout }) : reject(new Error(`${command} ${args.join(" ")} ended with ${code}: ${stderr.slice(-2000)}`)),
    );
  });
}

function shown(answer: string): string {
  const short = answer.length > 160 ? `${answer.slice(0, 160)}…` : answer;
  return `\`${short.replaceAll("|", "\\|").replaceAll("`", "'")}\``;
}
