import type { Lazy } from "../../plan/call.ts";
import type { Fields } from "../resolver.ts";
import {
  absolutePath,
  evaluate,
  setNamed,
  withConfig,
  type ContainerConfig,
  type ContainerData,
  type ExposedPort,
  type NamedValue,
} from "../../values/container-data.ts";
import { expandVariables } from "../../values/expand.ts";
import { errorMessage } from "../api-error.ts";
import { objectArgument } from "../object-argument.ts";
import type { QueryContext } from "../query-context.ts";

type Named = { readonly name: string; readonly value: string; readonly expand?: boolean };

/** Configuration alone: nothing here asks the container engine, except that a container whose command fails has no fields. */
export const containerConfigFields: Fields = {
  withEnvVariable: (container: ContainerData, { name, value, expand }: Named) =>
    withConfig(container, { env: setNamed(container.config.env, name, expand ? expandIn(container.config, value) : value) }),
  withoutEnvVariable: (container: ContainerData, { name }: Named) => withConfig(container, { env: without(container.config.env, name) }),
  envVariable: read(({ env }, { name }: Named) => env.find((each) => each.name === name)?.value ?? null),
  envVariables: read(({ env }) => env),
  withVolatileVariable: (container: ContainerData, { name, value }: Named) =>
    withConfig(container, { volatileEnv: setNamed(container.config.volatileEnv, name, value) }),
  withoutVolatileVariable: (container: ContainerData, { name }: Named) => withConfig(container, { volatileEnv: without(container.config.volatileEnv, name) }),

  withSecretVariable(container: ContainerData, { name, secret }: { name: string; secret: string }, query) {
    const { identity, value } = objectArgument("Secret", secret, query, { field: "withSecretVariable", argument: "secret" });
    const others = container.config.secrets.filter(({ variable }) => variable !== name);
    const which = `secret env ${JSON.stringify(name)}`;
    return withConfig(container, { secrets: [...others, { variable: name, identity: naming(which, identity), value: naming(which, value) }] });
  },
  withoutSecretVariable: (container: ContainerData, { name }: Named) =>
    withConfig(container, { secrets: container.config.secrets.filter(({ variable }) => variable !== name) }),

  withWorkdir(container: ContainerData, { path, expand }: { path: string; expand: boolean }) {
    const wanted = expand ? expandIn(container.config, path) : path;
    if (wanted.startsWith("/")) return withConfig(container, { workdir: wanted });
    return withConfig(container, { workdir: absolutePath(container.config, wanted).replace(/(.)\/$/, "$1") });
  },
  withoutWorkdir: (container: ContainerData) => withConfig(container, { workdir: "" }),
  workdir: read(({ workdir }) => workdir),

  withUser: (container: ContainerData, { name }: Named) => withConfig(container, { user: name }),
  withoutUser: (container: ContainerData) => withConfig(container, { user: "" }),
  user: read(({ user }) => user),

  withEntrypoint: (container: ContainerData, { args, keepDefaultArgs }: { args: string[]; keepDefaultArgs: boolean }) =>
    withConfig(container, { entrypoint: args, ...(keepDefaultArgs ? {} : { defaultArgs: [] }) }),
  withoutEntrypoint: (container: ContainerData, { keepDefaultArgs }: { keepDefaultArgs: boolean }) =>
    withConfig(container, { entrypoint: [], ...(keepDefaultArgs ? {} : { defaultArgs: [] }) }),
  entrypoint: read(({ entrypoint }) => entrypoint),
  withDefaultArgs: (container: ContainerData, { args }: { args: string[] }) => withConfig(container, { defaultArgs: args }),
  withoutDefaultArgs: (container: ContainerData) => withConfig(container, { defaultArgs: [] }),
  defaultArgs: read(({ defaultArgs }) => defaultArgs),

  withLabel: (container: ContainerData, { name, value }: Named) => withConfig(container, { labels: setNamed(container.config.labels, name, value) }),
  withoutLabel: (container: ContainerData, { name }: Named) => withConfig(container, { labels: without(container.config.labels, name) }),
  label: read(({ labels }, { name }: Named) => labels.find((each) => each.name === name)?.value ?? null),
  labels: read(({ labels }) => labels),

  withExposedPort(container: ContainerData, { port, protocol, description, experimentalSkipHealthcheck }: PortArguments) {
    const others = container.config.ports.filter((each) => each.port !== port || each.protocol !== protocol);
    const ports = [...others, { port, protocol, description: description ?? null, experimentalSkipHealthcheck }];
    return withConfig(container, { ports: ports.toSorted((a, b) => a.port - b.port || (a.protocol < b.protocol ? -1 : 1)) });
  },
  withoutExposedPort: (container: ContainerData, { port, protocol }: PortArguments) =>
    withConfig(container, { ports: container.config.ports.filter((each) => each.port !== port || each.protocol !== protocol) }),
  exposedPorts: read(({ ports }) => ports),

  platform: read(({ platform }) => platform),
  mounts: read(({ mounts }) => mounts.map(({ path }) => path)),

  withError(container: ContainerData, { err }: { err: string }) {
    if (err !== "") throw new Error(err);
    return container;
  },
};

interface PortArguments {
  readonly port: number;
  readonly protocol: ExposedPort["protocol"];
  readonly description?: string | null;
  readonly experimentalSkipHealthcheck: boolean;
}

/** A secret that could not be fetched: which one, and what its provider says. */
class SecretError extends Error {
  constructor(which: string, cause: unknown) {
    super(`${which}: ${errorMessage(cause)}`, { cause });
  }
}

function naming<T>(which: string, work: Lazy<T>): Lazy<T> {
  return async (call) => {
    try {
      return await work(call);
    } catch (error) {
      throw new SecretError(which, error);
    }
  };
}

/** Variables in `text` from the container's environment. Secret ones can't be used: their value must not become text. */
export function expandIn(config: ContainerConfig, text: string): string {
  return expandVariables(text, (name) => {
    if (config.secrets.some(({ variable }) => variable === name)) throw new Error(`expand cannot be used with secret env variable ${JSON.stringify(name)}`);
    return config.env.find((each) => each.name === name)?.value ?? "";
  });
}

function read<Args>(value: (config: ContainerConfig, args: Args) => unknown) {
  return async (container: ContainerData, args: Args, { engine, call }: QueryContext) => {
    await evaluate(container, engine.planner, call);
    return value(container.config, args);
  };
}

function without(named: readonly NamedValue[], name: string): readonly NamedValue[] {
  return named.filter((each) => each.name !== name);
}
