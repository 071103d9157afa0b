import { RunnerError, suggest } from "@anyrunner/core/driver";
import { readJson, type DockerClient, type DockerEndpoint } from "@anyrunner/docker-endpoint";

/** What the API says of one container, as far as it is used here. */
export interface ContainerDetails {
  readonly Id: string;
  /** With a leading slash. */
  readonly Name: string;
  readonly RestartCount?: number;
  readonly Config: {
    readonly Image: string;
    readonly Tty: boolean;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Env?: readonly string[] | null;
    readonly Cmd?: readonly string[] | null;
  };
  /** Ids of the execs that run, or that the daemon keeps for a while. */
  readonly ExecIDs?: readonly string[] | null;
  readonly HostConfig?: { readonly PortBindings?: object | null; readonly NetworkMode?: string; readonly RestartPolicy?: RestartPolicy | null };
  readonly Mounts?: readonly { readonly Destination: string }[] | null;
  readonly State: ContainerState;
}

export interface RestartPolicy {
  readonly Name: string;
  readonly MaximumRetryCount?: number;
}

export interface ContainerState {
  readonly Status: "created" | "running" | "paused" | "restarting" | "removing" | "exited" | "dead" | "stopped";
  /** Of its first process, in the name space of the daemon; 0 while it doesn't run. */
  readonly Pid?: number;
  readonly ExitCode: number;
  readonly OOMKilled: boolean;
  readonly Error: string;
  readonly StartedAt: string;
  readonly FinishedAt: string;
}

export interface ContainerCall {
  readonly signal?: AbortSignal | undefined;
}

/** The container of that name or id; `undefined` when there is none. */
export async function findContainer(client: DockerClient, name: string, options: ContainerCall): Promise<ContainerDetails | undefined> {
  const response = await client.request({ path: `/containers/${encodeURIComponent(name)}/json`, expect: [404], signal: options.signal });
  if (response.status !== 404) return readJson<ContainerDetails>(response.body);
  response.body.resume();
  return undefined;
}

/**
 * The container, which runs or is about to: one that restarts counts, since connecting to it is worth another attempt.
 * Fails with NOT_FOUND, NOT_RUNNING.
 */
export async function requireContainer(client: DockerClient, name: string, options: ContainerCall): Promise<ContainerDetails> {
  const container = await findContainer(client, name, options);
  if (container === undefined) throw await containerNotFound(client, name, options);
  if (container.State.Status !== "running" && container.State.Status !== "restarting") throw containerNotRunning(client.endpoint, container);
  return container;
}

export async function containerNotFound(client: DockerClient, name: string, options: ContainerCall): Promise<RunnerError> {
  const names = await listNames(client, options).catch(() => []);
  const nearest = suggest(name, names);
  return new RunnerError("NOT_FOUND", `there is no container "${name}" on the Docker daemon at ${client.endpoint.host}`, {
    hint: `${nearest === undefined ? "" : `did you mean "${nearest}"? `}\`${dockerCommand(client.endpoint)} ps -a\` lists the containers`,
    driver: "docker",
    details: { container: name, host: client.endpoint.host },
  });
}

export function containerNotRunning(endpoint: DockerEndpoint, container: ContainerDetails): RunnerError {
  const { Status: status, ExitCode: exitCode, OOMKilled: oomKilled } = container.State;
  const name = containerName(container);
  return new RunnerError("NOT_RUNNING", `the container "${name}" ${describeState(container)}`, {
    hint: startHint(status, name, dockerCommand(endpoint)),
    driver: "docker",
    retryable: status === "restarting",
    details: { container: name, state: status, exitCode, oomKilled },
  });
}

export function containerName(container: ContainerDetails): string {
  return container.Name.replace(/^\//, "");
}

/** The rest of a sentence that begins with the container's name. */
export function describeState({ State: state, RestartCount: restarts = 0 }: ContainerDetails): string {
  const why = state.OOMKilled ? " (killed for lack of memory)" : "";
  const error = state.Error === "" ? "" : `: ${state.Error}`;
  switch (state.Status) {
    case "running":
      return restarts > 0 ? `is running, restarted ${restarts} times` : "is running";
    case "created":
      return `was never started${error}`;
    case "paused":
      return "is paused";
    case "restarting":
      return `is restarting, ${restarts} times so far, last with exit code ${state.ExitCode}${why}${error}`;
    case "removing":
      return "is being removed";
    case "dead":
      return `is dead: the daemon failed to remove it${error}`;
    default:
      return `is not running: it ended with exit code ${state.ExitCode}${why} at ${state.FinishedAt}${error}`;
  }
}

function startHint(status: ContainerState["Status"], name: string, docker: string): string {
  switch (status) {
    case "paused":
      return `resume it: ${docker} unpause ${name}`;
    case "restarting":
      return `see why it ends: ${docker} logs ${name}`;
    case "removing":
    case "dead":
      return `make a new one; ${docker} rm -f ${name} removes this one`;
    default:
      return `start it: ${docker} start ${name}`;
  }
}

/** The docker CLI's words for this daemon, for hints. */
function dockerCommand(endpoint: DockerEndpoint): string {
  if (endpoint.from.kind !== "flag") return "docker";
  return endpoint.context === undefined ? `docker --host ${endpoint.host}` : `docker --context ${endpoint.context}`;
}

async function listNames(client: DockerClient, { signal }: ContainerCall): Promise<readonly string[]> {
  const containers = await client.json<readonly { readonly Names: readonly string[] | null }[]>({ path: "/containers/json", query: { all: true }, signal });
  return containers.flatMap(({ Names: names }) => names ?? []).map((name) => name.replace(/^\//, ""));
}
