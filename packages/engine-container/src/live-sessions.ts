import { METRICS_ADDRESS } from "./plan-engine-container.ts";

const METRICS_MARK = "# metrics";

/** For `sh -c` in an engine's container: the kernel's tables of sockets, then the engine's metric by whatever can ask for it. */
export const LIVE_SESSIONS_SCRIPT = `cat /proc/net/unix /proc/net/tcp /proc/net/tcp6 2>/dev/null
echo "${METRICS_MARK}"
url=http://${METRICS_ADDRESS}/metrics
{ curl -sf -m 2 $url || wget -q -T 2 -O - $url || bash -c 'exec 3<>/dev/tcp/${METRICS_ADDRESS.replace(":", "/")} && printf "GET /metrics HTTP/1.0\\r\\n\\r\\n" >&3 && cat <&3'; } 2>/dev/null | grep '^dagger_connected_clients'
exit 0`;

/** Understands what `LIVE_SESSIONS_SCRIPT` printed: how many sessions use the engine, by its own metric, else by connections to its sockets; `undefined` when no engine listens there. */
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

/** The port of `--addr tcp://…` among an engine's arguments. */
export function enginePort(args: readonly string[] | null | undefined): number | undefined {
  const port = (args ?? []).map((text) => /^(?:--addr=)?tcp:\/\/.*:(\d+)$/.exec(text)?.[1]).find((text) => text !== undefined);
  return port === undefined ? undefined : Number(port);
}
