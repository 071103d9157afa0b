import { RunnerError, throwIfAborted, type CallOptions, type ErrorCode } from "@anyrunner/core/driver";
import { parseDockerHost, type DockerClient } from "@anyrunner/docker-endpoint";
import { daemonChecks, hostChecks, thisHost, type Check, type DaemonInfo, type EnginePort, type HostView } from "@anyrunner/engine-container";

export interface RequireFitHostOptions extends CallOptions {
  /** The port that the engine is to publish. */
  readonly port: EnginePort | undefined;
  /** Default: this machine. */
  readonly host?: HostView | undefined;
}

/** What each failure means to a caller. */
const CODES: Readonly<Record<string, ErrorCode>> = { "docker.system": "UNSUPPORTED", "host.port": "ALREADY_EXISTS", "host.overlay": "NOT_AVAILABLE" };
/** How long a daemon may take to describe itself, in ms: it is only asked along the way. */
const BUDGET_MS = 5000;

/**
 * Looks, before an engine is started, at what it needs of the daemon and, where that shares this machine, of the machine: doctor's
 * checks. What would keep it from working is an error, with reason and remedy; what may is a warning.
 * Fails with UNSUPPORTED, ALREADY_EXISTS, NOT_AVAILABLE; `details.requirement` has the check.
 */
export async function requireFitHost(client: DockerClient, options: RequireFitHostOptions): Promise<void> {
  const { port, report, signal, host = thisHost } = options;
  const budget = AbortSignal.timeout(BUDGET_MS);
  const info = await client
    .json<DaemonInfo>({ path: "/info", signal: signal === undefined ? budget : AbortSignal.any([signal, budget]) })
    .catch(() => undefined);
  throwIfAborted(signal);
  if (info === undefined) return;
  const isLocal = parseDockerHost(client.endpoint.host).kind === "unix";
  const onHost = isLocal ? await hostChecks(host, { rootFolder: info.DockerRootDir, port, engineRuns: false }) : [];
  // What this process may do says nothing about the daemon, and what the daemon says of itself is no news at every start.
  const checks = [...daemonChecks(info).filter(({ id }) => id !== "docker.warning"), ...onHost.filter(({ id }) => id !== "host.privileges")];
  const failed = checks.find(({ status }) => status === "failed");
  if (failed !== undefined) throw unfit(failed);
  for (const { id, status, detail, remedy } of checks) {
    if (status === "warning") report?.({ type: "warning", id: `requirement-${id}`, message: detail, hint: remedy });
  }
}

function unfit({ id, detail, remedy }: Check): RunnerError {
  return new RunnerError(CODES[id] ?? "NOT_AVAILABLE", `an engine can't run here: ${detail}`, { hint: remedy, driver: "docker", details: { requirement: id } });
}
