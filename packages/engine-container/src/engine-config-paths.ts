import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

export interface EngineConfigPaths {
  readonly engineJson: string;
  readonly caCertificates: string;
}

/** Where the official client looks for the engine's configuration and CA certificates (engine protocol 1.7). Whether they exist is the caller's to see. */
export function engineConfigPaths(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly platform?: NodeJS.Platform | undefined;
}): EngineConfigPaths {
  const folder = join(configHome(options.env, options.platform ?? process.platform), "dagger");
  return { engineJson: join(folder, "engine.json"), caCertificates: join(folder, "ca-certificates") };
}

/** The rules of Go's adrg/xdg. */
function configHome(env: Readonly<Record<string, string | undefined>>, platform: NodeJS.Platform): string {
  const given = env["XDG_CONFIG_HOME"];
  if (given && isAbsolute(given)) return given;
  const home = env["HOME"] || env["USERPROFILE"] || homedir();
  if (platform === "darwin") return join(home, "Library", "Application Support");
  if (platform === "win32") return env["LOCALAPPDATA"] || join(home, "AppData", "Local");
  return join(home, ".config");
}
