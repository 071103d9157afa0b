import { RunnerError } from "@anyrunner/core/driver";
import type { EngineContainerPlan } from "@anyrunner/engine-container";

import type { ContainerDetails } from "./container-details.ts";
import type { RunCommand, RuntimeGrammar } from "./runtime.ts";
import { splitEnvironment } from "./split-environment.ts";

/** What the official client gives Apple's machines when nothing is asked for (engine protocol 1.8). */
const DEFAULT_CPUS = 4;
const DEFAULT_MEMORY = "8G";
const MEBIBYTE = 1024 * 1024;

/** The arguments of Apple's `container`: each container is a virtual machine, and its name is its id. */
export const APPLE_GRAMMAR: RuntimeGrammar = {
  exec: (container, command) => ["exec", "-i", container, ...command],
  // There are no filters.
  list: () => ["ls", "--all", "--format", "json"],
  parseList: (stdout, label) =>
    parseContainers(stdout)
      .filter(({ labels }) => label === undefined || labels[label.name] === label.value)
      .map(({ name }) => name),
  inspect: (containers) => ["inspect", ...containers],
  parseInspect: parseContainers,
  logs: (container, { tail, follow }) => ["logs", "-n", String(tail), ...(follow ? ["--follow"] : []), container],
  start: (container) => ["start", container],
  stop: (container, { seconds }) => ["stop", "--time", String(seconds), container],
  remove: (container) => ["rm", "--force", container],
  inspectImage: (image) => ["image", "inspect", image],
  pull: (image, { platform }) => ["image", "pull", ...(platform === undefined ? [] : ["--platform", platform]), image],
  createVolume: (name, labels) => ["volume", "create", ...labelArgs(labels), name],
  inspectVolume: (name) => ["volume", "inspect", name],
  parseVolumeLabels: (stdout) => {
    const [volume] = JSON.parse(stdout) as readonly ListedVolume[];
    return volume?.configuration?.labels ?? volume?.labels ?? {};
  },
  removeVolume: (name) => ["volume", "rm", name],
  run: runCommand,
};

/** No restart policy, no time-out at creation, no port: `container` has none of them for this. */
function runCommand(plan: EngineContainerPlan): RunCommand {
  refuse(plan.ports.length > 0, "port", "an engine in it is reached by exec only");
  refuse(plan.gpus !== undefined, "gpus", "its machines see no GPU");
  refuse(plan.cpus !== undefined && !Number.isInteger(plan.cpus), "cpus", "it takes whole CPUs only");
  refuse(plan.extraHosts.length > 0, "proxy", "a proxy on this machine's loopback can't be reached from its machines");
  const { args: envArgs, env } = splitEnvironment(plan.env);
  const memory = plan.memoryBytes === undefined ? DEFAULT_MEMORY : `${Math.ceil(plan.memoryBytes / MEBIBYTE)}M`;
  return {
    args: [
      ...["run", "--name", plan.name, "--detach"],
      ...plan.mounts.flatMap(({ source, target, readOnly }) => ["-v", `${source}:${target}${readOnly ? ":ro" : ""}`]),
      ...envArgs,
      // Its own word for privileged.
      ...["--cap-add", "ALL", "--cpus", String(plan.cpus ?? DEFAULT_CPUS), "--memory", memory],
      ...labelArgs(plan.labels),
      ...(plan.network === undefined ? [] : ["--network", plan.network]),
      ...(plan.platform === undefined ? [] : ["--platform", plan.platform]),
      plan.image,
      ...plan.args,
    ],
    env,
  };
}

function refuse(asked: boolean, parameter: string, reason: string): void {
  if (!asked) return;
  throw new RunnerError("UNSUPPORTED", `Apple container can't do what "${parameter}" asks for: ${reason}`, {
    hint: `leave ${parameter} away, or use another runtime`,
    driver: "apple",
    details: { parameter },
  });
}

function labelArgs(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(labels).flatMap(([name, value]) => ["--label", `${name}=${value}`]);
}

/** Since 1.0 the state stands in an object; before, it was the value itself. */
interface ListedByApple {
  readonly status?: string | { readonly state?: string; readonly startedDate?: unknown };
  readonly startedDate?: unknown;
  readonly configuration: {
    readonly id: string;
    readonly image?: { readonly reference?: string };
    readonly labels?: Readonly<Record<string, string>>;
    readonly initProcess?: { readonly arguments?: readonly string[]; readonly environment?: readonly string[] };
  };
}

/** Since 1.0 the labels stand in the configuration, as those of a container. */
interface ListedVolume {
  readonly labels?: Readonly<Record<string, string>>;
  readonly configuration?: { readonly labels?: Readonly<Record<string, string>> };
}

function parseContainers(stdout: string): readonly ContainerDetails[] {
  return (JSON.parse(stdout) as readonly ListedByApple[]).map(readContainer);
}

function readContainer({ status, startedDate, configuration }: ListedByApple): ContainerDetails {
  const { id, image, labels = {}, initProcess } = configuration;
  const started = typeof status === "object" ? status.startedDate : startedDate;
  const environment = initProcess?.environment;
  return {
    id,
    name: id,
    image: image?.reference ?? "",
    labels,
    state: (typeof status === "object" ? status.state : status) ?? "unknown",
    startedAt: typeof started === "string" ? started : undefined,
    args: initProcess?.arguments,
    env:
      environment === undefined
        ? undefined
        : Object.fromEntries(environment.map((text): [string, string] => [text.split("=", 1)[0] ?? "", text.slice(text.indexOf("=") + 1)])),
  };
}
