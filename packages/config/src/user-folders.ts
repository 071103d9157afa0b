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

/** Where anyrunner keeps the user's files, by the XDG rules (relative values count as unset); on Windows below APPDATA and LOCALAPPDATA. */
export function userFolders({ env, platform = process.platform }: { readonly env: Environment; readonly platform?: NodeJS.Platform }): UserFolders {
  const home = env["HOME"] || env["USERPROFILE"] || homedir();
  const windows = platform === "win32";
  const base = (variable: string, windowsVariable: string, fallback: string) => {
    for (const value of [env[variable], windows ? env[windowsVariable] : undefined]) {
      if (value && isAbsolute(value)) return value;
    }
    return join(home, fallback);
  };
  return {
    home,
    config: join(base("XDG_CONFIG_HOME", "APPDATA", ".config"), "anyrunner"),
    state: join(base("XDG_STATE_HOME", "LOCALAPPDATA", join(".local", "state")), "anyrunner"),
    data: join(base("XDG_DATA_HOME", "LOCALAPPDATA", join(".local", "share")), "anyrunner"),
  };
}
