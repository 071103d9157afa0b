import { spawn, type ChildProcess } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { setTimeout as delay } from "node:timers/promises";

import { freePort } from "@anyrunner/testkit";

import { run } from "../run.ts";
import { REPOSITORY } from "../workspace-packages.ts";

const VERDACCIO = "6.10.4";
/** Names of packages that this repository makes, and of drivers that its tests make: they come from here and from nowhere else. */
const OURS = ["@anyrunner/*", "anyrunner-driver-*", "create-anyrunner-driver"];
const START_BUDGET_MS = 60_000;

/** A registry on loopback: what is published to it is ours, everything else it fetches from the registry that this machine uses. */
export interface RegistryServer extends AsyncDisposable {
  readonly url: string;
  /** Variables with which npm uses it, with nothing of the user's own configuration. */
  readonly env: Readonly<Record<string, string>>;
}

/** Starts verdaccio with its storage in `folder`, on `port` or on one that is free. It is installed into .cache once. */
export async function startRegistry(folder: string, chosenPort?: number): Promise<RegistryServer> {
  const bin = installVerdaccio();
  const port = chosenPort ?? (await freePort());
  const url = `http://127.0.0.1:${port}/`;
  mkdirSync(folder, { recursive: true });
  const config = path.join(folder, "config.yaml");
  writeFileSync(config, configuration(run("npm", ["config", "get", "registry"]).trim()));
  const npmrc = path.join(folder, "npmrc");
  writeFileSync(npmrc, `registry=${url}\n//127.0.0.1:${port}/:_authToken=anybody\naudit=false\nfund=false\nupdate-notifier=false\n`);
  const server = spawn(process.execPath, [bin, "--config", config, "--listen", `127.0.0.1:${port}`], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [server.stdout, server.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await untilAnswering(url, server, () => output);
  // Of its own, since npm keeps what it is told by the address, and that is another each time.
  const cache = path.join(folder, "npm-cache");
  return {
    url,
    env: { NPM_CONFIG_USERCONFIG: npmrc, NPM_CONFIG_CACHE: cache, NPM_CONFIG_YES: "true" },
    [Symbol.asyncDispose]: () => stop(server),
  };
}

/** One of its dependencies asks for a tag of node-fetch that not every mirror has. */
function installVerdaccio(): string {
  const folder = path.join(REPOSITORY, ".cache", "verdaccio", VERDACCIO);
  const bin = path.join(folder, "node_modules", "verdaccio", "bin", "verdaccio");
  if (existsSync(bin)) return bin;
  mkdirSync(folder, { recursive: true });
  const manifest = { private: true, dependencies: { verdaccio: VERDACCIO }, overrides: { "node-fetch": "2.7.0" } };
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest));
  run("npm", ["install", "--no-audit", "--no-fund", "--ignore-scripts"], { cwd: folder });
  return bin;
}

/** JSON is YAML. */
function configuration(upstream: string): string {
  const ours = Object.fromEntries(OURS.map((name) => [name, { access: "$all", publish: "$all", unpublish: "$all" }]));
  return JSON.stringify({
    storage: "./storage",
    uplinks: { upstream: { url: upstream, maxage: "60m", timeout: "60s", max_fails: 10 } },
    packages: { ...ours, "**": { access: "$all", proxy: "upstream" } },
    auth: { htpasswd: { file: "./htpasswd", max_users: -1 } },
    middlewares: { audit: { enabled: false } },
    web: { enable: false },
    max_body_size: "200mb",
    log: { type: "stdout", format: "pretty", level: "warn" },
  });
}

async function untilAnswering(url: string, server: ChildProcess, output: () => string): Promise<void> {
  const giveUpAt = performance.now() + START_BUDGET_MS;
  for (;;) {
    const answer = await fetch(`${url}-/ping`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
    if (answer?.ok) return;
    if (server.exitCode !== null) throw new Error(`the registry ended with ${server.exitCode}\n${output()}`);
    if (performance.now() > giveUpAt) {
      await stop(server);
      throw new Error(`the registry did not answer within ${START_BUDGET_MS / 1000} s\n${output()}`);
    }
    await delay(100);
  }
}

async function stop(server: ChildProcess): Promise<void> {
  if (server.exitCode !== null || server.signalCode !== null) return;
  const ended = new Promise<void>((resolve) => server.once("exit", () => resolve()));
  server.kill("SIGTERM");
  const hurry = setTimeout(() => server.kill("SIGKILL"), 5000);
  await ended;
  clearTimeout(hurry);
}
