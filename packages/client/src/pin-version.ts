import { DEFAULT_ENGINE_VERSION, findEngineVersion, requireOneEngine } from "@anyrunner/config";
import { parseRunnerUrl, serializeRunnerUrl } from "@anyrunner/core";

import type { Surroundings } from "./surroundings.ts";

/** The URL with `version=auto` replaced by the version that the project names, else by that which is used where nothing says one. Fails with VERSION_MISMATCH. */
export async function pinVersion({ cwd, env }: Pick<Surroundings, "cwd" | "env">, text: string): Promise<string> {
  if (!/[?&]version=auto(&|$)/.test(text)) return text;
  const url = parseRunnerUrl(text);
  const finding = await findEngineVersion({ cwd, env, askCli: "last" });
  requireOneEngine(finding);
  const version = finding.chosen?.version ?? DEFAULT_ENGINE_VERSION;
  return serializeRunnerUrl({ ...url, params: url.params.map((param) => (param.name === "version" ? { ...param, value: version } : param)) });
}
