import { findEngineVersion, requireOneEngine } from "@anyrunner/config";
import { parseRunnerUrl, serializeRunnerUrl } from "@anyrunner/core";

import type { Surroundings } from "./surroundings.ts";

/** The URL with `version=auto` replaced by the version that the project names, if it names one. Fails with VERSION_MISMATCH. */
export async function pinVersion({ cwd, env }: Pick<Surroundings, "cwd" | "env">, text: string): Promise<string> {
  if (!/[?&]version=auto(&|$)/.test(text)) return text;
  const url = parseRunnerUrl(text);
  const finding = await findEngineVersion({ cwd, env, askCli: "last" });
  requireOneEngine(finding);
  const { chosen } = finding;
  if (chosen === undefined) return text;
  return serializeRunnerUrl({ ...url, params: url.params.map(({ name, value }) => ({ name, value: name === "version" ? chosen.version : value })) });
}
