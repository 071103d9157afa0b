import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface UserFolders {
  readonly home: string;
  /** Choices of the user. */
  readonly config: string;
  /** What must survive but isn't a choice. */
  readonly state: string;
  /** What was installed for the user: drivers. */
  readonly data: string;
}

/** Names the folder that holds choices and drivers in place of the user's own: a CI job's, which nothing of other jobs may reach. */
export const HOME_VARIABLE = "ANYRUNNER_HOME";

/**
 * Where anyrunner keeps the user's files, by the XDG rules (relative values count as unset); on Windows below APPDATA and LOCALAPPDATA.
 * With ANYRUNNER_HOME, choices and drivers are there; what runs on this machine is still noted where the user's other processes look for it.
 */
export function userFolders({ env, platform = process.platform }: { readonly env: Environment; readonly platform?: NodeJS.Platform }): UserFolders {
  const home = env["HOME"] || env["USERPROFILE"] || homedir();
  const windows = platform === "win32";
  const base = (variable: string, windowsVariable: string, fallback: string) => {
    for (const value of [env[variable], windows ? env[windowsVariable] : undefined]) {
      if (value && isAbsolute(value)) return value;
    }
    return join(home, fallback);
  };
  const own = env[HOME_VARIABLE];
  const isOwn = own !== undefined && isAbsolute(own);
  return {
    home,
    config: isOwn ? own : join(base("XDG_CONFIG_HOME", "APPDATA", ".config"), "anyrunner"),
    state: join(base("XDG_STATE_HOME", "LOCALAPPDATA", join(".local", "state")), "anyrunner"),
    data: isOwn ? own : join(base("XDG_DATA_HOME", "LOCALAPPDATA", join(".local", "share")), "anyrunner"),
  };
}
