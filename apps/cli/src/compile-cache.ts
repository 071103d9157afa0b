import { enableCompileCache } from "node:module";
import { homedir } from "node:os";
import { isAbsolute, join } from "node:path";

/**
 * Lets Node keep compiled code between runs. In the user's own cache folder: Node's default lies in a temporary folder that
 * other users of the machine may have prepared.
 */
export function keepCompiledCode(env: Readonly<Record<string, string | undefined>>): void {
  const configured = env["XDG_CACHE_HOME"];
  const base = configured && isAbsolute(configured) ? configured : join(env["HOME"] || homedir(), ".cache");
  enableCompileCache(env["NODE_COMPILE_CACHE"] ? undefined : join(base, "anyrunner", "node"));
}
