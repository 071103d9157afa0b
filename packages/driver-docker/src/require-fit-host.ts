import { signalWithin, throwIfAborted, type CallOptions } from "@anyrunner/core/driver";
import { parseDockerHost, type DockerClient } from "@anyrunner/docker-endpoint";
import { daemonChecks, hostChecks, requireChecks, thisHost, type DaemonInfo, type EnginePort, type HostView } from "@anyrunner/engine-container";

export interface RequireFitHostOptions extends CallOptions {
  /** The port that the engine is to publish. */
  readonly port: EnginePort | undefined;
  /** Default: this machine. */
  readonly host?: HostView | undefined;
}

/** How long a daemon may take to describe itself, in ms: it is only asked along the way. */
const BUDGET_MS = 5000;

/**
 * Looks, before an engine is started, at what it needs of the daemon and, where that shares this machine, of the machine: doctor's
 * checks. What would keep it from working is an error, with reason and remedy; what may is a warning.
 * Fails with UNSUPPORTED, ALREADY_EXISTS, NOT_AVAILABLE; `details.requirement` has the check.
 */
export async function requireFitHost(client: DockerClient, options: RequireFitHostOptions): Promise<void> {
  const { port, report, signal, host = thisHost } = options;
  const info = await client.json<DaemonInfo>({ path: "/info", signal: signalWithin(BUDGET_MS, signal) }).catch(() => undefined);
  throwIfAborted(signal);
  if (info === undefined) return;
  const isLocal = parseDockerHost(client.endpoint.host).kind === "unix";
  const onHost = isLocal ? await hostChecks(host, { rootFolder: info.DockerRootDir, port, engineRuns: false }) : [];
  requireChecks([...daemonChecks(info), ...onHost], { driver: "docker", report });
}
