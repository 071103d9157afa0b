import { loadProjectConfig, openUserStore, type ProjectConfig, type UserStore } from "@anyrunner/config";
import { chooseRunner, throwIfAborted, type CallOptions, type ChosenRunner, type Provenance } from "@anyrunner/core";

import { lookForEngine } from "./default-engine.ts";
import { pinVersion } from "./pin-version.ts";
import type { Surroundings } from "./surroundings.ts";
import { urlOfName } from "./url-of-name.ts";

/** The runner of a client, and the files that were read to find it. */
export interface ClientRunner {
  readonly chosen: ChosenRunner;
  /** The runner's own name, if it was chosen by it. */
  readonly name?: string | undefined;
  readonly config: ProjectConfig | undefined;
  readonly store: UserStore;
}

/** What a caller says of the choice; everything else is read from its surroundings. */
export interface ChooseClientRunnerOptions extends Pick<CallOptions, "signal"> {
  /** The runner that the caller names; it wins over everything else. */
  readonly runner?: string | undefined;
  /** How the caller was asked for `runner`. Default: by the flag `--runner`. */
  readonly runnerFrom?: Provenance | undefined;
}

/**
 * Which runner the flag, the environment, the project, the user and what runs on this machine name. A name stands for the URL that
 * it was given. Asks the container runtime only when nothing is configured. Fails with NO_RUNNER, INVALID_CONFIG, INVALID_URL,
 * VERSION_MISMATCH or ABORTED.
 */
export async function chooseClientRunner(
  surroundings: Surroundings,
  { runner: flag, runnerFrom, signal }: ChooseClientRunnerOptions = {},
): Promise<ClientRunner> {
  throwIfAborted(signal);
  const { cwd, env } = surroundings;
  const store = openUserStore({ env });
  const [config, settings] = await Promise.all([loadProjectConfig({ cwd }), store.read()]);
  const chosen = await chooseRunner({
    flag,
    flagFrom: runnerFrom,
    env,
    project: config?.runner === undefined ? undefined : { url: config.runner, file: config.file },
    user: settings.runner === undefined ? undefined : { url: settings.runner, file: store.file },
    ...lookForEngine(surroundings, { config, signal }),
  });
  throwIfAborted(signal);
  if (chosen.kind === "session") return { chosen, config, store };
  const { url: text, name } = urlOfName(chosen.url, settings);
  const url = await pinVersion(surroundings, text);
  const from = name === undefined ? chosen.from : { kind: chosen.from.kind, name: `${chosen.from.name} (runner ${name})` };
  return { chosen: { kind: "url", url, from }, ...(name !== undefined && { name }), config, store };
}
