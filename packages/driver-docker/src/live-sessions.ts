import { RunnerError, throwIfAborted, type CallOptions } from "@anyrunner/core";
import { openExecStream, readText, type DockerClient } from "@anyrunner/docker-endpoint";
import { METRICS_ADDRESS } from "@anyrunner/engine-container";

import type { ContainerDetails } from "./container.ts";

const BUDGET_MS = 10_000;
const OUTPUT_BYTES = 4 * 1024 * 1024;
const METRICS_MARK = "# metrics";

/** One exec: the kernel's tables of sockets, then the engine's metric by whatever can ask for it. */
const LOOK_SCRIPT = `cat /proc/net/unix /proc/net/tcp /proc/net/tcp6 2>/dev/null
echo "${METRICS_MARK}"
url=http://${METRICS_ADDRESS}/metrics
{ curl -sf -m 2 $url || wget -q -T 2 -O - $url || bash -c 'exec 3<>/dev/tcp/${METRICS_ADDRESS.replace(":", "/")} && printf "GET /metrics HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3'; } 2>/dev/null | grep '^dagger_connected_clients'
exit 0`;

/**
 * How many sessions use a running engine: by its own metric, else by connections to its sockets, else by execs.
 * `undefined` when it can't be known, which counts as live. Fails only with ABORTED.
 */
export async function countLiveSessions(client: DockerClient, container: ContainerDetails, { signal }: CallOptions): Promise<number | undefined> {
  throwIfAborted(signal);
  const execs = await countRunningExecs(client, container, signal);
  const looked = await look(client, container, signal);
  throwIfAborted(signal);
  const counted = looked === undefined ? undefined : countSessions(looked, enginePort(container));
  if (counted !== undefined) return counted;
  // Without the tables nothing tells who comes by a published port.
  return enginePort(container) === undefined ? execs : undefined;
}

/** Understands what `LOOK_SCRIPT` printed; `undefined` when no engine listens there. */
export function countSessions(text: string, port?: number): number | undefined {
  const [tables = "", metrics = ""] = text.split(METRICS_MARK);
  const metric = /^dagger_connected_clients(?:\{[^}]*\})? ([\d.e+]+)\s*$/m.exec(metrics)?.[1];
  if (metric !== undefined) return Number(metric);
  const lines = tables.split("\n");
  const sockets = lines.filter((line) => /\/run\/(dagger\/engine|buildkit\/buildkitd)\.sock$/.test(line.trimEnd()));
  // Columns of /proc/net/unix: Num RefCount Protocol Flags Type St Inode Path; state 03 is connected, 01 listens.
  const states = sockets.map((line) => line.trim().split(/\s+/)[5]);
  if (!states.includes("01")) return undefined;
  const connected = states.filter((state) => state === "03").length;
  return connected + (port === undefined ? 0 : lines.filter((line) => isConnectedTo(line, port)).length);
}

/** Columns of /proc/net/tcp: sl local_address rem_address st; state 01 is established. */
function isConnectedTo(line: string, port: number): boolean {
  const match = /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:[0-9A-F]{4} 01 /.exec(line);
  return match !== null && Number.parseInt(match[1] ?? "", 16) === port;
}

/** The port of `--addr tcp://…` among the engine's arguments. */
function enginePort({ Config: config }: ContainerDetails): number | undefined {
  const port = (config.Cmd ?? []).map((text) => /^(?:--addr=)?tcp:\/\/.*:(\d+)$/.exec(text)?.[1]).find((text) => text !== undefined);
  return port === undefined ? undefined : Number(port);
}

async function countRunningExecs(client: DockerClient, { ExecIDs: ids }: ContainerDetails, signal: AbortSignal | undefined): Promise<number | undefined> {
  try {
    const states = await Promise.all((ids ?? []).map((id) => isRunning(client, id, signal)));
    return states.filter(Boolean).length;
  } catch {
    throwIfAborted(signal);
    return undefined;
  }
}

async function isRunning(client: DockerClient, id: string, signal: AbortSignal | undefined): Promise<boolean> {
  try {
    return (await client.json<{ readonly Running: boolean }>({ path: `/exec/${id}/json`, signal })).Running;
  } catch (error) {
    if (RunnerError.is(error) && error.code === "NOT_FOUND") return false;
    throw error;
  }
}

async function look(client: DockerClient, container: ContainerDetails, signal: AbortSignal | undefined): Promise<string | undefined> {
  const budget = AbortSignal.timeout(BUDGET_MS);
  const call = signal === undefined ? budget : AbortSignal.any([signal, budget]);
  try {
    const exec = await openExecStream(client, { container: container.Id, command: ["sh", "-c", LOOK_SCRIPT], signal: call });
    exec.stream.end();
    const text = await readText(exec.stream, { limitBytes: OUTPUT_BYTES });
    exec.stream.destroy();
    await exec.released;
    return text;
  } catch {
    return undefined;
  }
}
