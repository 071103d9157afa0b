import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { EngineFiles } from "@anyrunner/engine-container";

import type { EngineFileContents } from "./engine-manifests.ts";

/** What the user's files for the engine hold: a cluster's nodes can't mount them. */
export async function readFileContents({ configPath, ca }: EngineFiles): Promise<EngineFileContents> {
  const certificates: Record<string, string> = {};
  if (ca?.kind === "file") certificates["anyrunner-ca.crt"] = await readFile(ca.path, "utf8");
  if (ca?.kind === "folder") {
    const names = (await readdir(ca.path)).filter((name) => /^[\w.-]+\.(crt|pem|cer)$/.test(name));
    for (const name of names) certificates[name.replace(/\.(pem|cer)$/, ".crt")] = await readFile(join(ca.path, name), "utf8");
  }
  return { certificates, ...(configPath !== undefined && { engineJson: await readFile(configPath, "utf8") }) };
}
