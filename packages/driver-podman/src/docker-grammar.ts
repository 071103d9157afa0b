import { RunnerError } from "@anyrunner/core/driver";
import type { EngineContainerPlan } from "@anyrunner/engine-container";

import type { ContainerDetails } from "./container-details.ts";
import type { RunCommand, RuntimeGrammar } from "./runtime.ts";
import { splitEnvironment } from "./split-environment.ts";

type Gpus = NonNullable<EngineContainerPlan["gpus"]>;

export interface DockerGrammarOptions {
  readonly gpus: (gpus: Gpus) => readonly string[];
  /** The name by which containers know the machine that runs them, where the runtime sets it by itself. Default: it is added to the hosts file. */
  readonly hostName?: string | undefined;
  /** Whether `cp` reaches containers that don't run. Default false. */
  readonly copiesToStopped?: boolean | undefined;
}

/** The arguments that podman, nerdctl and finch took over from the docker CLI. */
export function createDockerGrammar(options: DockerGrammarOptions): RuntimeGrammar {
  return {
    exec: (container, command) => ["exec", "-i", container, ...command],
    list: (label) => ["ps", "--all", ...(label === undefined ? [] : ["--filter", `label=${label.name}=${label.value}`]), "--format", "{{.Names}}"],
    parseList: (stdout) => stdout.split("\n").flatMap((line) => line.trim().split(",")[0] || []),
    listVolumeUsers: (volume) => ["ps", "--filter", `volume=${volume}`, "--format", "{{.Names}}"],
    inspect: (containers) => ["container", "inspect", ...containers],
    parseInspect: (stdout) => (JSON.parse(stdout) as readonly InspectedContainer[]).map(readContainer),
    logs: (container, { tail, follow }) => ["logs", "--tail", String(tail), ...(follow ? ["--follow"] : []), container],
    logsSince: (container, since, { tail }) => ["logs", "--since", since, ...(tail === undefined ? [] : ["--tail", String(tail)]), container],
    start: (container) => ["start", container],
    stop: (container, { seconds }) => ["stop", "--time", String(seconds), container],
    remove: (container) => ["rm", "--force", "--volumes", container],
    inspectImage: (image) => ["image", "inspect", image],
    pull: (image, { platform }) => ["pull", ...(platform === undefined ? [] : ["--platform", platform]), image],
    createVolume: (name, labels) => ["volume", "create", ...labelArgs(labels), name],
    inspectVolume: (name) => ["volume", "inspect", name],
    parseVolumeLabels: (stdout) => (JSON.parse(stdout) as readonly { readonly Labels?: Readonly<Record<string, string>> | null }[])[0]?.Labels ?? {},
    removeVolume: (name) => ["volume", "rm", name],
    run: (plan) => runCommand(plan, options, ["run", "--detach"]),
    ...(options.copiesToStopped && {
      files: {
        create: (plan) => runCommand(plan, options, ["create"]),
        copy: (from, to) => ["cp", from, to],
        listVolumes: ({ name, value }) => ["volume", "ls", "--filter", `label=${name}=${value}`, "--format", "{{.Name}}"],
      },
    }),
  };
}

function runCommand(plan: EngineContainerPlan, { gpus, hostName }: DockerGrammarOptions, verb: readonly string[]): RunCommand {
  const { args: envArgs, env } = splitEnvironment(hostName === undefined ? plan.env : renameHost(plan.env, plan.extraHosts, hostName));
  const extraHosts = hostName === undefined ? plan.extraHosts : [];
  const optional = (flag: string, value: string | number | undefined) => (value === undefined ? [] : [flag, String(value)]);
  return {
    args: [
      ...[...verb, "--name", plan.name, "--pull", "never", "--restart", plan.restartPolicy],
      ...["--stop-timeout", String(plan.stopTimeoutSeconds), "--privileged"],
      ...plan.mounts.flatMap(({ source, target, readOnly }) => ["-v", `${source}:${target}${readOnly ? ":ro" : ""}`]),
      ...envArgs,
      ...plan.ports.flatMap(({ address, port }) => ["-p", `${address.includes(":") ? `[${address}]` : address}:${port}:${port}`]),
      ...labelArgs(plan.labels),
      ...optional("--cpus", plan.cpus),
      ...optional("--memory", plan.memoryBytes),
      ...(plan.gpus === undefined ? [] : gpus(plan.gpus)),
      ...optional("--network", plan.network),
      ...optional("--platform", plan.platform),
      ...extraHosts.flatMap((host) => ["--add-host", host]),
      plan.image,
      ...plan.args,
    ],
    env,
  };
}

/** GPUs by the Container Device Interface: podman 4 ignores `--gpus`. */
export function cdiGpus(gpus: Gpus): readonly string[] {
  const device = (id: string) => ["--device", `nvidia.com/gpu=${id}`];
  switch (gpus.kind) {
    case "all":
      return device("all");
    case "count":
      return Array.from({ length: gpus.count }, (_, index) => device(String(index))).flat();
    case "devices":
      return gpus.devices.flatMap(device);
  }
}

/** The docker CLI's flag; its value is read as CSV, hence the quotes around a list. */
export function dockerGpus(gpus: Gpus): readonly string[] {
  switch (gpus.kind) {
    case "all":
      return ["--gpus", "all"];
    case "count":
      return ["--gpus", String(gpus.count)];
    case "devices":
      return ["--gpus", `"device=${gpus.devices.join(",")}"`];
  }
}

function labelArgs(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
}

function renameHost(env: Readonly<Record<string, string>>, extraHosts: readonly string[], hostName: string): Readonly<Record<string, string>> {
  const names = extraHosts.map((host) => host.slice(0, host.indexOf(":")));
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, names.reduce((text, host) => text.replaceAll(host, hostName), value)]));
}

/** The part of Docker's container JSON that podman, nerdctl and finch share; podman has the image's name apart. */
interface InspectedContainer {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly ImageName?: string;
  readonly RestartCount?: number;
  readonly Args?: readonly string[] | null;
  readonly Config?: {
    readonly Image?: string;
    readonly Cmd?: readonly string[] | null;
    readonly Labels?: Readonly<Record<string, string>> | null;
    readonly Env?: readonly string[] | null;
  };
  readonly Mounts?: readonly { readonly Destination?: string }[] | null;
  readonly State: {
    readonly Status: string;
    readonly ExitCode?: number;
    readonly OOMKilled?: boolean;
    readonly Error?: string;
    readonly StartedAt?: string;
    readonly FinishedAt?: string;
  };
}

function readContainer(json: InspectedContainer): ContainerDetails {
  const { State: state, Config: config } = json;
  if (typeof json.Id !== "string" || typeof state?.Status !== "string") throw new RunnerError("COMMAND_FAILED", "what inspect wrote is no container");
  return {
    id: json.Id,
    name: json.Name.replace(/^\//, ""),
    image: json.ImageName || config?.Image || json.Image,
    labels: config?.Labels ?? {},
    state: state.Status.toLowerCase(),
    exitCode: state.ExitCode,
    oomKilled: state.OOMKilled,
    restarts: json.RestartCount,
    startedAt: time(state.StartedAt),
    finishedAt: time(state.FinishedAt),
    error: state.Error || undefined,
    args: config?.Cmd ?? json.Args ?? undefined,
    mountPoints: (json.Mounts ?? []).flatMap(({ Destination }) => Destination ?? []),
    env: config?.Env ? Object.fromEntries(config.Env.map(splitVariable)) : undefined,
  };
}

/** Go's zero time means never. */
function time(text: string | undefined): string | undefined {
  return text === undefined || text === "" || text.startsWith("0001-") ? undefined : text;
}

function splitVariable(text: string): [string, string] {
  const at = text.indexOf("=");
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}
