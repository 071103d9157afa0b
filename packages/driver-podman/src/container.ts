import { RunnerError, suggest, type CallOptions } from "@anyrunner/core/driver";

import { checkRuntime } from "./check-runtime.ts";
import { commandFailure, knownFailure } from "./command-failure.ts";
import type { ContainerCli } from "./container-cli.ts";
import { describeState, hasEnded, isAlive, wasNeverStarted, type ContainerDetails } from "./container-details.ts";
import { NO_CONTAINER } from "./known-failure.ts";

/** The container of that name or id; `undefined` when there is none. Fails as `checkRuntime` does when the runtime doesn't answer. */
export async function findContainer(cli: ContainerCli, name: string, options: CallOptions): Promise<ContainerDetails | undefined> {
  const { runtime } = cli;
  const doing = `look at the container "${name}"`;
  const result = await cli.attempt(runtime.grammar.inspect([name]), { ...options, doing });
  if (result.exitCode === 0) return readInspected(cli, result.stdout)[0];
  if (NO_CONTAINER.test(result.stderr)) return undefined;
  if (knownFailure(runtime, result) === undefined) await checkRuntime(cli, options);
  throw commandFailure(cli, result, doing);
}

/** The container, which runs or is about to: one that restarts counts, since connecting to it is worth another attempt. Fails with NOT_FOUND, NOT_RUNNING. */
export async function requireContainer(cli: ContainerCli, name: string, options: CallOptions): Promise<ContainerDetails> {
  const container = await findContainer(cli, name, options);
  if (container === undefined) throw await containerNotFound(cli, name, options);
  if (!isAlive(container)) throw containerNotRunning(cli, container);
  return container;
}

/** All containers, or those with a label, as inspect shows them. What goes away meanwhile is left out. */
export async function listContainers(
  cli: ContainerCli,
  label: { readonly name: string; readonly value: string },
  options: CallOptions,
): Promise<readonly ContainerDetails[]> {
  const { grammar } = cli.runtime;
  const listed = await cli.run(grammar.list(label), { ...options, doing: "list its containers" });
  const names = grammar.parseList(listed, label);
  if (names.length === 0) return [];
  const result = await cli.attempt(grammar.inspect(names), { ...options, doing: "look at its containers" });
  if (result.exitCode === 0) return readInspected(cli, result.stdout);
  const found = await Promise.all(names.map((name) => findContainer(cli, name, options)));
  return found.filter((container) => container !== undefined);
}

export async function containerNotFound(cli: ContainerCli, name: string, options: CallOptions): Promise<RunnerError> {
  const { runtime, shown } = cli;
  const names = await cli.run(runtime.grammar.list(), { ...options, doing: "list its containers" }).then(runtime.grammar.parseList, () => []);
  const nearest = suggest(name, names);
  return new RunnerError("NOT_FOUND", `${runtime.title} has no container "${name}"${cli.place === undefined ? "" : ` in "${cli.place}"`}`, {
    hint: `${nearest === undefined ? "" : `did you mean "${nearest}"? `}\`${shown} ${runtime.name === "apple" ? "ls" : "ps"} -a\` lists the containers`,
    driver: runtime.name,
    details: { container: name },
  });
}

export function containerNotRunning(cli: ContainerCli, container: ContainerDetails): RunnerError {
  const { name, state, exitCode, oomKilled } = container;
  return new RunnerError("NOT_RUNNING", `the container "${name}" ${describeState(container)}`, {
    hint: stateHint(container, cli.shown),
    driver: cli.runtime.name,
    retryable: state === "restarting",
    details: { container: name, state, ...(exitCode !== undefined && { exitCode }), ...(oomKilled !== undefined && { oomKilled }) },
  });
}

function stateHint(container: ContainerDetails, shown: string): string {
  const { name, state } = container;
  if (state === "paused") return `resume it: ${shown} unpause ${name}`;
  if (hasEnded(container) || wasNeverStarted(container)) return `start it: ${shown} start ${name}`;
  if (state === "restarting") return `see why it ends: ${shown} logs ${name}`;
  return `wait, or make a new one; ${shown} rm -f ${name} removes this one`;
}

function readInspected(cli: ContainerCli, stdout: string): readonly ContainerDetails[] {
  try {
    return cli.runtime.grammar.parseInspect(stdout);
  } catch (error) {
    throw new RunnerError("COMMAND_FAILED", `what ${cli.runtime.command} says of a container can't be understood`, {
      hint: `check the version of ${cli.runtime.command}`,
      cause: error,
      driver: cli.runtime.name,
    });
  }
}
