import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { parseArgs } from "node:util";

import { openRunner } from "@anyrunner/core";
import { createDefaultRegistry } from "@anyrunner/drivers";
import { openSession, type EngineSession } from "@anyrunner/engine";
import { makeBusyboxRootfs } from "@anyrunner/testkit";

import { startBridge } from "../start-bridge.ts";
import { runQueries, runSessions, runTunnelConnections, type OnProgress, type QueriedSession } from "./loads.ts";
import { openOfficialSession } from "./official-session.ts";
import { formatSample, sampleProcess } from "./sample.ts";

/**
 * Puts a long life's load on one engine, straight and through a bridge, and prints what this process, the bridge and the engine hold
 * meanwhile, in Markdown.
 *
 * Usage: node tooling/long-life/main.ts RUNNER_URL [--engine-pid N] [--queries 10000] [--sessions 1000] [--tunnels 5000] [--official PROGRAM]
 *
 * The official CLI, where it is given, gets the tunnel connections and the queries, too: what an engine keeps of them is its own doing.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "engine-pid": { type: "string" },
    queries: { type: "string", default: "10000" },
    sessions: { type: "string", default: "1000" },
    tunnels: { type: "string", default: "5000" },
    official: { type: "string" },
  },
});
const [url = ""] = positionals;
if (url === "") throw new Error("usage: main.ts RUNNER_URL [--engine-pid N] [--queries N] [--sessions N] [--tunnels N] [--official PROGRAM]");
const enginePid = values["engine-pid"] === undefined ? undefined : Number(values["engine-pid"]);
/** After a load, what is closed may take a moment to be gone. */
const SETTLE_MS = 3000;

const folder = await realpath(await mkdtemp(join(tmpdir(), "long-life-")));
try {
  await makeBusyboxRootfs(join(folder, "rootfs"));
  if (values.official !== undefined) await putOfficialLoads(values.official);
  await putLoads({ way: "direct" });
  const bridge = await startBridge(url);
  await putLoads({ way: "bridge", runnerUrl: bridge.address, bridgePid: bridge.pid });
  console.log(`The bridge ended with ${await bridge.end()}.`);
} finally {
  await rm(folder, { recursive: true, force: true });
}

interface Way {
  readonly way: string;
  readonly runnerUrl?: string | undefined;
  readonly clientPid?: number | undefined;
  readonly bridgePid?: number | undefined;
}

async function putLoads({ way, runnerUrl = url, bridgePid }: Way): Promise<void> {
  const runner = await openRunner(runnerUrl, { registry: createDefaultRegistry({ cwd: folder, env: process.env }) });
  let events = 0;
  const open = () => openSession(runner, { env: process.env, cwd: folder, onTelemetry: () => void (events += 1) });
  printHead();
  await inSession(open, (session) => measureTunnels({ way, bridgePid }, session));
  await inSession(open, (session) => measureQueries({ way, bridgePid }, session));
  await measure({ way, bridgePid }, "sessions", (onProgress) => runSessions(open, Number(values.sessions), onProgress));
  console.log(`\n${events} events of telemetry.`);
}

async function putOfficialLoads(program: string): Promise<void> {
  const open = () => openOfficialSession(program, url, folder);
  printHead();
  for (const load of [measureTunnels, measureQueries]) await inSession(open, (session) => load({ way: "official", clientPid: session.pid }, session));
}

async function inSession<T extends Pick<EngineSession, "close">>(open: () => Promise<T>, work: (session: T) => Promise<void>): Promise<void> {
  const session = await open();
  await work(session);
  await session.close();
}

function measureTunnels(way: Way, session: QueriedSession): Promise<void> {
  return measure(way, "tunnel connections", (onProgress) => runTunnelConnections(session, join(folder, "rootfs"), Number(values.tunnels), onProgress));
}

function measureQueries(way: Way, session: QueriedSession): Promise<void> {
  return measure(way, "queries", (onProgress) => runQueries(session, Number(values.queries), onProgress));
}

async function measure(way: Way, load: string, work: (onProgress: OnProgress) => Promise<void>): Promise<void> {
  await printSamples(way, load, "before");
  const began = performance.now();
  await work((done) => printSamples(way, load, done)).catch((error: Error) => console.log(`| ${way.way} | ${load} | failed: ${error.message} | | | |`));
  const seconds = (performance.now() - began) / 1000;
  await delay(SETTLE_MS);
  await printSamples(way, load, `after ${seconds.toFixed(0)} s`);
}

async function printSamples({ way, clientPid = process.pid, bridgePid }: Way, load: string, done: number | string): Promise<void> {
  const cells = await Promise.all([clientPid, bridgePid, enginePid].map(async (pid) => formatSample(pid === undefined ? undefined : await sampleProcess(pid))));
  console.log(`| ${way} | ${load} | ${done} | ${cells.join(" | ")} |`);
}

function printHead(): void {
  console.log(`\n| way | load | done | client | bridge | engine |\n| --- | --- | --- | --- | --- | --- |`);
}
