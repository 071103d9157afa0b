import { loadProjectConfig, openUserStore, type ProjectConfig, type UserStore } from "@anyrunner/config";
import { chooseRunner, type ChosenRunner } from "@anyrunner/core";

import type { CommandContext } from "./command-context.ts";

export interface CliRunner {
  readonly chosen: ChosenRunner;
  readonly config: ProjectConfig | undefined;
  readonly store: UserStore;
}

/** Which runner the flags, the environment, the project and the user name. Asks nothing on the network. Fails with NO_RUNNER or INVALID_CONFIG. */
export async function chooseCliRunner({ cwd, env }: CommandContext, flag: string | undefined): Promise<CliRunner> {
  const store = openUserStore({ env });
  const [config, settings] = await Promise.all([loadProjectConfig({ cwd }), store.read()]);
  const chosen = await chooseRunner({
    flag,
    env,
    project: config?.runner === undefined ? undefined : { url: config.runner, file: config.file },
    user: settings.runner === undefined ? undefined : { url: settings.runner, file: store.file },
  });
  return { chosen, config, store };
}
