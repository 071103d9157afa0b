import { execOperation, type Exec } from "../../plan/operation.ts";
import type { ExecRecord } from "../../index-store/index-store.ts";
import type { Fields } from "../resolver.ts";
import { absolutePath, evaluate, segmentMounts, type ContainerConfig, type ContainerData } from "../../values/container-data.ts";
import { Unsupported } from "../api-error.ts";
import type { QueryContext } from "../query-context.ts";
import { expandIn } from "./container-config.ts";

interface ExecArguments {
  readonly args: readonly string[];
  readonly useEntrypoint: boolean;
  readonly stdin: string;
  readonly redirectStdin: string;
  readonly redirectStdout: string;
  readonly redirectStderr: string;
  readonly expect: Exec["expect"];
  readonly experimentalPrivilegedNesting: boolean;
  readonly insecureRootCapabilities: boolean;
  readonly expand: boolean;
}

export const containerExecFields: Fields = {
  withExec(container: ContainerData, args: ExecArguments): ContainerData {
    if (args.experimentalPrivilegedNesting) throw new Unsupported("Container.withExec(experimentalPrivilegedNesting:)");
    if (args.stdin !== "" && args.redirectStdin !== "") throw new Error("cannot set both stdin and redirectStdin");
    const base = { ...container, imageRef: undefined };
    // What is wrong with the command is told when something of the container is asked for.
    if (container.failure !== undefined) return base;
    try {
      const exec = execOperation(container.files, execOf(container.config, args));
      return { ...base, files: exec, exec };
    } catch (error) {
      return { ...base, exec: undefined, failure: error as Error };
    }
  },

  stdout: output(({ stdout }, text) => text(stdout)),
  stderr: output(({ stderr }, text) => text(stderr)),
  combinedOutput: output(({ combined }, text) => text(combined)),
  exitCode: output(({ exitCode }) => exitCode),

  async sync(container: ContainerData, _args, { engine, call, session }, parent) {
    await evaluate(container, engine.planner, call);
    return session.objects.idOf(parent);
  },
};

function execOf(config: ContainerConfig, args: ExecArguments): Exec {
  const given = args.args.length > 0 ? args.args : config.defaultArgs;
  const whole = args.useEntrypoint ? [...config.entrypoint, ...given] : given;
  if (whole.length === 0) throw new Error("no command has been set");
  const expanded = (text: string) => (args.expand ? expandIn(config, text) : text);
  const path = (text: string) => (text === "" ? undefined : absolutePath(config, expanded(text)));
  return {
    args: whole.map(expanded),
    env: config.env.map(({ name, value }) => `${name}=${value}`),
    volatileEnv: config.volatileEnv.map(({ name, value }) => `${name}=${value}`),
    secrets: config.secrets,
    workingDir: config.workdir || "/",
    user: config.user,
    stdin: args.stdin,
    redirectStdin: path(args.redirectStdin),
    redirectStdout: path(args.redirectStdout),
    redirectStderr: path(args.redirectStderr),
    expect: args.expect,
    privileged: args.insecureRootCapabilities,
    mounts: segmentMounts(config),
  };
}

function output(value: (record: ExecRecord, text: (content: ExecRecord["stdout"]) => Promise<string>) => unknown) {
  return async (container: ContainerData, _args: unknown, { engine, call }: QueryContext) => {
    if (container.failure !== undefined) throw container.failure;
    if (container.exec === undefined) throw new Error("no command has been executed");
    const record = await engine.planner.run(container.exec, call);
    return value(record, async (content) => (await engine.store.read(content)).toString());
  };
}
