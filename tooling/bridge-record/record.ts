import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";

import { makeBusyboxRootfs } from "@anyrunner/testkit";

import { startBridge } from "../start-bridge.ts";
import { CASES, CASES_WITHOUT_MODULE, type Case } from "./cases.ts";
import { official } from "./client.ts";
import { startSilenceCutter } from "./middlebox.ts";
import { makeModule } from "./module.ts";

/**
 * Runs the official CLI straight on an engine and through bridges to it, and prints, in Markdown, whether both gave the same; then
 * through a middlebox that cuts what is silent for 15 seconds.
 *
 * Usage: node tooling/bridge-record/record.ts OFFICIAL_CLI ENGINE_HOST RUNNER_URL… [--tcp HOST:PORT] [--no-module]
 * ENGINE_HOST is what the official CLI takes for the engine, the RUNNER_URLs are bridged to. --tcp names the engine for the middlebox,
 * which is left out without it. --no-module is for an engine that interprets no module by itself, and a CLI that opens terminals.
 */
const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { tcp: { type: "string", default: "" }, "no-module": { type: "boolean", default: false } },
});
const [program = "", engineHost = "", ...runners] = positionals;
const cases: Readonly<Record<string, Case>> = values["no-module"] ? CASES_WITHOUT_MODULE : CASES;
if (runners.length === 0) throw new Error("usage: record.ts OFFICIAL_CLI ENGINE_HOST RUNNER_URL… [--tcp HOST:PORT] [--no-module]");
const IDLE_MS = 15_000;
const TERMINAL_QUERY = `{ host { directory(path: ".") { dockerBuild { terminal(cmd: ["sh"]) { rootfs { entries } } } } } }`;

const cwd = await realpath(await mkdtemp(join(tmpdir(), "bridge-record-")));
try {
  if (values["no-module"]) await makeBusyboxRootfs(join(cwd, "rootfs"));
  else await makeModule(cwd);
  await writeFile(join(cwd, "terminal.graphql"), TERMINAL_QUERY);
  await writeFile(join(cwd, "Dockerfile"), "FROM scratch\nCOPY rootfs /\n");
  const straight = await runAll(engineHost);
  for (const runner of runners) {
    const bridge = await startBridge(runner).catch((error: Error) => error);
    if (bridge instanceof Error) {
      console.log(`\n## ${runner.replace(/\/\/.*/, "//…")}\n\nno bridge: it ends before it listens`);
      continue;
    }
    const through = await runAll(bridge.address);
    console.log(`\n## ${runner.replace(/\/\/.*/, "//…")}\n\n| case | straight and bridged | |\n| --- | --- | --- |`);
    for (const [name, result] of Object.entries(straight)) {
      const same = through[name] === result;
      if (!same) console.error(`${name}, straight: ${result}\n${name}, bridged: ${String(through[name])}`);
      console.log(`| ${name} | ${same ? "same" : "**different**"} | ${shown(through[name])}${same ? "" : ` against ${shown(result)}`} |`);
    }
    await bridge.end();
  }
  if (values.tcp !== "") await recordMiddlebox();
} finally {
  await rm(cwd, { recursive: true, force: true });
}

async function runAll(runnerHost: string): Promise<Record<string, string>> {
  const results: Record<string, string> = {};
  for (const [name, work] of Object.entries(cases))
    results[name] = await work({ program, runnerHost, cwd }).catch((error: Error) => `failed: ${error.message}`);
  return results;
}

async function recordMiddlebox(): Promise<void> {
  const [host = "", port = ""] = values.tcp.split(":");
  const box = await startSilenceCutter({ host, port: Number(port) }, IDLE_MS);
  const slow = (runnerHost: string) => official({ program, runnerHost, cwd }, ["call", "slow", "--root", "./rootfs", "--mark", `${runnerHost} ${Date.now()}`]);
  console.log(`\n## Through a middlebox that cuts what is silent for ${IDLE_MS / 1000} s\n\n| case | result | connections cut |\n| --- | --- | --- |`);
  const straight = await slow(box.url);
  console.log(`| a process of 40 s, the official CLI straight | ${shown(straight)} | ${box.cutCount()} |`);
  const before = box.cutCount();
  const bridge = await startBridge(box.url);
  console.log(`| the same through the bridge | ${shown(await slow(bridge.address))} | ${box.cutCount() - before} |`);
  await delay(2 * IDLE_MS);
  const later = await official({ program, runnerHost: bridge.address, cwd }, ["core", "version"]);
  console.log(`| \`core version\` after ${(2 * IDLE_MS) / 1000} s without a client | ${shown(later)} | ${box.cutCount() - before} |`);
  await bridge.end();
  box.close();
}

function shown(text = ""): string {
  const line = text.replaceAll(/\s+/g, " ").replaceAll("|", "\\|");
  return `\`${line.length > 160 ? `${line.slice(0, 160)}…` : line}\``;
}
